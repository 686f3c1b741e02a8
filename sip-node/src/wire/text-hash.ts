/**
 * A hash of texts that anybody can compute: it finds equal values and proves nothing. FNV-1a over the characters of all parts, with the
 * parts separated, then mixed so that each bit depends on all characters. A part is not copied, and `crypto.hash` takes 1 µs more.
 */

/** 0 to 2^32 - 1. */
export function textHash(parts: readonly string[]): number {
  let state = 0x811c9dc5;
  for (const part of parts) {
    for (let i = 0; i < part.length; i++) state = Math.imul(state ^ part.charCodeAt(i), 0x01000193);
    state = Math.imul(state ^ 0x100, 0x01000193); // no character of wire text
  }
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
