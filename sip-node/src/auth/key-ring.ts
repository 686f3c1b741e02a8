/**
 * The cluster's keys: a ring that every node mounts, and the derivation of what each room needs from it (RFC 5869, HKDF).
 *
 *           verifyFrom        signFrom                        dropAfter
 *   ────────────┼────────────────┼────────────────────────────────┼────────►
 *     unknown   │ verifies       │ verifies and, while newest,    │ unknown
 *               │                │ signs                          │
 */
import { createSecretKey, hash, hkdfSync, type KeyObject } from "node:crypto";
import type { Epoch } from "../wire/units.ts";

interface Term {
  /** 1 to 32 letters, digits, "-" or "_". */
  readonly id: string;
  readonly verifyFrom: Epoch;
  readonly signFrom: Epoch;
  /** Infinity: not planned yet. */
  readonly dropAfter: Epoch;
}

/** As mounted. */
export interface RingKey extends Term {
  /** 32 bytes or more of chance. */
  readonly key: Uint8Array;
}

/** Of one purpose. A `KeyObject`, because HMAC with bytes takes five times as long. */
export interface DerivedKey extends Term {
  readonly secret: KeyObject;
}

export type KeyRing = readonly RingKey[];
export type DerivedRing = readonly DerivedKey[];

/** 32 bytes by HKDF-SHA-256, without salt; `purpose` keeps rooms apart: "nonce", "branch", "flow token", "relay". */
export const deriveKey = (entry: RingKey, purpose: string): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", entry.key, "", `strowger ${purpose}`, 32));

/** The same ring with the keys of one purpose. Derive once when the ring is read, not for each message. */
export const deriveRing = (ring: KeyRing, purpose: string): DerivedRing =>
  ring.map((entry) => ({
    id: entry.id,
    verifyFrom: entry.verifyFrom,
    signFrom: entry.signFrom,
    dropAfter: entry.dropAfter,
    secret: createSecretKey(deriveKey(entry, purpose)),
  }));

/** The key to sign with now: of those that may, the one that began last; undefined when none may. */
export function signingKey<Key extends Term>(ring: readonly Key[], now: Epoch): Key | undefined {
  let newest: Key | undefined;
  for (const entry of ring)
    if (entry.signFrom <= now && now <= entry.dropAfter)
      if (newest === undefined || entry.signFrom > newest.signFrom) newest = entry;
  return newest;
}

/** Whether what this key signed is believed now. */
export const mayVerify = (entry: Term, now: Epoch): boolean =>
  entry.verifyFrom <= now && now <= entry.dropAfter;

/** Two characters of base64url that stand for an id where space is short. Two ids may share them: try each key that fits. */
export const shortId = (id: string): string => hash("sha256", id, "base64url").slice(0, 2);
