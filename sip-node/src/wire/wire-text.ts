/** Conversion of Unicode text to wire text: UTF-8, one character for each byte (see `message.ts`). `location/row-text.ts` is the reverse. */
export const toWireText = (row: string): string =>
  isAscii(row) ? row : Buffer.from(row, "utf8").toString("latin1");

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}
