/**
 * Nonces that every node can check and no node stores (RFC 7616 §3.3; design-sip rule 16).
 *
 *   nonce = time "." key-id "." proof call
 *
 *   m     = keyedHash(key, time "." key-id)
 *   proof = m[0..12)                                               proves that a node of this cluster made it
 *   call  = base64url( SHA-256(m[12..43) Call-ID) )[0..16)         proves that it was made for this Call-ID
 *
 * There are two proofs, because a nonce of this cluster in another call is `stale` (a phone tries its old one first), and any other nonce is
 * `forged`. The second proof is a plain hash: its secret belongs to this nonce only, and its truncation hides the state of the hash.
 */
import { hash } from "node:crypto";
import type { Epoch, Ms } from "../wire/units.ts";
import { isSameText, keyedHash } from "./keyed-hash.ts";
import { type DerivedKey, type DerivedRing, mayVerify, signingKey } from "./key-ring.ts";

/**
 * The time after its issue during which a nonce is fresh. `adapters/mysql/reaper.ts` keeps expired bindings longer than this, against replayed
 * credentials (design-sip rule 16).
 */
export const defaultNonceLifetime: Ms = 300_000;

/** `at`: the time of issue. `stale`: of this cluster, but expired, for another Call-ID, or of a key that is not in the ring any more. */
export type NonceCheck =
  | { readonly kind: "fresh"; readonly at: Epoch }
  | { readonly kind: "stale" }
  | { readonly kind: "forged" };

/** `keys`: the ring, derived for nonces. Throws `RangeError` if no key may sign: the mounted ring is wrong. */
export function issueNonce(keys: DerivedRing, callId: string, now: Epoch): string {
  const entry = signingKey(keys, now);
  if (entry === undefined) throw new RangeError("key ring: no key may sign nonces");
  const head = `${Math.floor(now).toString(36)}.${entry.id}`;
  return `${head}.${proofs(entry, head, callId)}`;
}

/** A nonce from a node whose clock is ahead is fresh for the same time. */
export function checkNonce(
  keys: DerivedRing,
  nonce: string,
  callId: string,
  now: Epoch,
  lifetime: Ms,
): NonceCheck {
  const form = /^([0-9a-z]{1,10})\.([\w-]{1,32})\.([\w-]{28})$/.exec(nonce);
  if (form === null) return { kind: "forged" };
  const [, time, id, text] = form as unknown as [string, string, string, string];
  const entry = keys.find((key) => key.id === id && mayVerify(key, now));
  if (entry === undefined) return { kind: "stale" };
  const expected = proofs(entry, `${time}.${id}`, callId);
  if (!isSameText(text.slice(0, proofLength), 0, expected.slice(0, proofLength))) return { kind: "forged" };
  const at = Number.parseInt(time, 36);
  if (Math.abs(now - at) > lifetime) return { kind: "stale" };
  return isSameText(text, 0, expected) ? { kind: "fresh", at } : { kind: "stale" };
}

const proofLength = 12;
const callLength = 16;

function proofs(entry: DerivedKey, head: string, callId: string): string {
  const mac = keyedHash(entry.secret, head);
  const call = hash("sha256", mac.slice(proofLength) + callId, "base64url");
  return mac.slice(0, proofLength) + call.slice(0, callLength);
}
