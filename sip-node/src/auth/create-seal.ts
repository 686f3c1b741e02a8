/** Seals of the cluster (`wire/seal.ts`) from a derived key ring. */
import { type Seal, sealLength } from "../wire/seal.ts";
import type { Epoch } from "../wire/units.ts";
import { type HashKey, isSameText, keyedHash } from "./keyed-hash.ts";
import { deriveRing, type KeyRing, mayVerify, shortId, signingKey } from "./key-ring.ts";

/** `now` reads the wall clock. Sealing throws `RangeError` if no key of the ring may sign: the mounted ring is wrong. */
export function createSeal(ring: KeyRing, purpose: string, now: () => Epoch): Seal {
  const keys = deriveRing(ring, purpose).map((entry) => ({ ...entry, short: shortId(entry.id) }));
  return {
    seal(data) {
      const entry = signingKey(keys, now());
      if (entry === undefined) throw new RangeError(`key ring: no key may sign for ${purpose}`);
      return entry.short + mac(entry.secret, data);
    },
    isSealed(data, seal) {
      if (seal.length !== sealLength) return false;
      const at = now();
      for (const entry of keys)
        if (
          seal.startsWith(entry.short) &&
          mayVerify(entry, at) &&
          isSameText(seal, 2, mac(entry.secret, data))
        )
          return true;
      return false;
    },
  };
}

/** 96 bits as 16 characters. */
const mac = (secret: HashKey, data: string | Uint8Array): string =>
  keyedHash(secret, data).slice(0, sealLength - 2);
