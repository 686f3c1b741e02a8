/**
 * The message authentication code of seals and nonces: SHA-256 over the key and then the data (docs/adr/0047).
 *
 * SHA-256 of a key and data alone can be extended by who knows the whole hash. So no caller publishes more than half of it (AMAC: Bellare,
 * Bernstein, Tessaro, "Hash-Function based PRFs", 2016). One call of `hash` takes 0.8 µs for 70 bytes; `createHmac`, `update` and `digest`
 * with a `KeyObject` take 2.9 µs and leave an object to the collector.
 */
import { hash } from "node:crypto";

/** 64 characters, one block of SHA-256: no text of two keys and data is the same for another key. */
export type HashKey = string & { readonly [keyMark]?: true };
declare const keyMark: unique symbol;

/** `key`: 32 bytes. */
export const hashKey = (key: Uint8Array): HashKey => Buffer.from(key).toString("hex");

/** 43 characters of base64url. Publish at most 24 of them. Text is hashed in UTF-8: for ASCII, text and its bytes have the same hash. */
export const keyedHash = (key: HashKey, data: string | Uint8Array): string =>
  hash("sha256", typeof data === "string" ? key + data : joined(key, data), "base64url");

function joined(key: HashKey, data: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(key.length + data.length);
  bytes.write(key, "latin1");
  bytes.set(data, key.length);
  return bytes;
}

/** Whether `given` from `at` on is `expected`. The time depends on the lengths only. */
export function isSameText(given: string, at: number, expected: string): boolean {
  if (given.length - at !== expected.length) return false;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) difference |= given.charCodeAt(at + i) ^ expected.charCodeAt(i);
  return difference === 0;
}
