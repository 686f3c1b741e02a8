/** Digest responses from a stored HA1 (RFC 7616 §3.4.1 to §3.4.3, RFC 8760 §2.5). */
import { hash, timingSafeEqual } from "node:crypto";
import type { DigestCredentials } from "../wire/digest-credentials.ts";
import { toWireText } from "../wire/wire-text.ts";

export type DigestAlgorithm = "MD5" | "SHA-256";

const hashNames: Readonly<Record<DigestAlgorithm, string>> = { MD5: "md5", "SHA-256": "sha256" };
const hexLengths: Readonly<Record<DigestAlgorithm, number>> = { MD5: 32, "SHA-256": 64 };

/** Lower-case hexadecimal digits of the hash over the bytes of wire text. */
const digits = (algorithm: DigestAlgorithm, text: string): string =>
  hash(hashNames[algorithm], Buffer.from(text, "latin1"), "hex");

/** The algorithm that credentials name, in any case; MD5 when they name none; undefined for one that is not supported, such as `MD5-sess`. */
export function algorithmOf(name: string | undefined): DigestAlgorithm | undefined {
  switch (name?.toUpperCase()) {
    case undefined:
    case "MD5":
      return "MD5";
    case "SHA-256":
      return "SHA-256";
    default:
      return undefined;
  }
}

/** HA1 = H(username ":" realm ":" password), in UTF-8 and lower-case hexadecimal digits; `username` in its form on the wire. */
export const hashPassword = (
  algorithm: DigestAlgorithm,
  username: string,
  realm: string,
  password: string,
): string => digits(algorithm, `${username}:${toWireText(`${realm}:${password}`)}`);

/** H(HA1 ":" nonce ":" nc ":" cnonce ":" qop ":" H(method ":" uri)), lower case. Only for credentials with qop `auth`. */
export function digestResponse(
  algorithm: DigestAlgorithm,
  ha1: string,
  method: string,
  credentials: DigestCredentials,
): string {
  const { nonce, nc, cnonce, qop, uri } = credentials;
  const ha2 = digits(algorithm, `${method}:${uri}`);
  return digits(algorithm, `${ha1.toLowerCase()}:${nonce}:${nc ?? ""}:${cnonce ?? ""}:${qop ?? ""}:${ha2}`);
}

/** Whether the credentials' response is the right one; the time does not depend on which digit is wrong. */
export function isResponseRight(
  algorithm: DigestAlgorithm,
  ha1: string,
  method: string,
  credentials: DigestCredentials,
): boolean {
  const expected = Buffer.from(digestResponse(algorithm, ha1, method, credentials), "latin1");
  const given = Buffer.from(credentials.response.toLowerCase(), "latin1");
  return given.length === hexLengths[algorithm] && timingSafeEqual(given, expected);
}
