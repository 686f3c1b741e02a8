/**
 * The key by which a URI finds what was stored under a contact: a hash of user, host and port. URIs that RFC 3261 §19.1.4 calls equal have
 * equal keys; the others that share one are told apart by whoever asks.
 */
import { hash } from "node:crypto";
import { canonicalHost } from "../wire/compare-uris.ts";
import { isProblem } from "../wire/problem.ts";
import { parseUri } from "../wire/uri.ts";

/** A decimal number below 2^63, never "0" for a SIP URI; "0" for any other text. */
export function contactKey(text: string): string {
  const uri = parseUri(text);
  if (isProblem(uri)) return "0";
  return keyOf(`${uri.user ?? ""}@${canonicalHost(uri.host)}:${uri.port ?? 5060}`);
}

/** A decimal number below 2^63, the range that every driver reads exactly as text. */
export function keyOf(text: string): string {
  return BigInt.asUintN(63, BigInt(`0x${hash("sha256", text, "hex").slice(0, 16)}`)).toString();
}
