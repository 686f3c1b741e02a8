/**
 * The bytes of a wire text, for loops that look at each character. Such a loop takes a third of the time of one with `charCodeAt`, because V8 finds
 * out for each character how the text is stored. The bytes are written once for each message, into one area: they are valid until the function is
 * called with another text, so no caller keeps them or calls, while it uses them, a function that reads another text.
 */

/** Longer than every datagram, so that most texts fit. */
const area = Buffer.alloc(66_000);
const areaBytes = new Uint8Array(area.buffer, area.byteOffset, area.length);
let last = "";

/** A zero follows the last byte. */
export function bytesOf(text: string): Uint8Array {
  if (text === last) return areaBytes;
  if (text.length >= area.length) return new Uint8Array(Buffer.from(`${text}\0`, "latin1"));
  area[area.write(text, "latin1")] = 0;
  last = text;
  return areaBytes;
}
