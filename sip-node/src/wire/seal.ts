/**
 * A seal proves that a node of this cluster wrote what a phone or another node brings back: branches, flow tokens, frames. Every room
 * that seals gets a `Seal` with a key of its own; `auth/key-ring.ts` derives them.
 */
export interface Seal {
  /** `sealLength` characters of the token alphabet (RFC 3261 §25.1): the key's id and 96 bits of a MAC over the data. */
  seal(data: string | Uint8Array): string;
  /** Whether a key that may still verify made this seal over this data. */
  isSealed(data: string | Uint8Array, seal: string): boolean;
}

export const sealLength = 18;
