/**
 * The key ring of the cluster, which every node mounts, and the keys derived from it for each purpose (RFC 5869, HKDF).
 *
 *           verifyFrom        signFrom                        dropAfter
 *   ────────────┼────────────────┼────────────────────────────────┼────────►
 *     unknown   │ verifies       │ verifies and, while newest,    │ unknown
 *               │                │ signs                          │
 */
import { hash, hkdfSync } from "node:crypto";
import type { Epoch } from "../wire/units.ts";
import { type HashKey, hashKey } from "./keyed-hash.ts";

interface KeyValidity {
  /** 1 to 32 letters, digits, "-" or "_". */
  readonly id: string;
  readonly verifyFrom: Epoch;
  readonly signFrom: Epoch;
  /** Infinity: no time is planned yet. */
  readonly dropAfter: Epoch;
}

/** A key of the mounted ring. */
export interface RingKey extends KeyValidity {
  /** At least 32 random bytes. */
  readonly key: Uint8Array;
}

/** A key for one purpose. */
export interface DerivedKey extends KeyValidity {
  readonly secret: HashKey;
}

export type KeyRing = readonly RingKey[];
export type DerivedRing = readonly DerivedKey[];

/** 32 bytes by HKDF-SHA-256, without salt; `purpose` separates the uses: "nonce", "branch", "flow token", "relay". */
export const deriveKey = (entry: RingKey, purpose: string): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", entry.key, "", `strowger ${purpose}`, 32));

/** The ring with the keys for one purpose. Derive it once when the ring is read, not for each message. */
export const deriveRing = (ring: KeyRing, purpose: string): DerivedRing =>
  ring.map((entry) => ({
    id: entry.id,
    verifyFrom: entry.verifyFrom,
    signFrom: entry.signFrom,
    dropAfter: entry.dropAfter,
    secret: hashKey(deriveKey(entry, purpose)),
  }));

/** The key that signs now: of those that may sign, the one with the latest `signFrom`. Undefined if none may. */
export function signingKey<Key extends KeyValidity>(ring: readonly Key[], now: Epoch): Key | undefined {
  let newest: Key | undefined;
  for (const entry of ring)
    if (entry.signFrom <= now && now <= entry.dropAfter)
      if (newest === undefined || entry.signFrom > newest.signFrom) newest = entry;
  return newest;
}

/** Whether a signature of this key is valid now. */
export const mayVerify = (entry: KeyValidity, now: Epoch): boolean =>
  entry.verifyFrom <= now && now <= entry.dropAfter;

/** A short form of an id: two characters of base64url. Two ids may have the same short form, so try every key that fits. */
export const shortId = (id: string): string => hash("sha256", id, "base64url").slice(0, 2);
