/** Text of a row as the wire carries it: UTF-8, one character for each byte (see `wire/message.ts`). */
export const wireText = (text: string): string =>
  isAscii(text) ? text : Buffer.from(text, "utf8").toString("latin1");

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}
