/**
 * A seal proves that a node of this cluster wrote a text that a phone or another node sends back: a branch, a flow token, a frame. Each use
 * has a `Seal` with its own key, which `auth/key-ring.ts` derives.
 */
export interface Seal {
  /** Returns `sealLength` characters of the token alphabet (RFC 3261 §25.1): the key's id and 96 bits of a MAC over the data. */
  seal(data: string | Uint8Array): string;
  /** Whether this is the seal of this data, by a key that is valid for verification. */
  isSealed(data: string | Uint8Array, seal: string): boolean;
}

export const sealLength = 18;
