/** Character classes of the RFC 3261 §25.1 grammar, by character code of wire text. */

export const HT = 9;
export const LF = 10;
export const CR = 13;
export const SP = 32;
export const QUOTE = 34;
export const COMMA = 44;
export const COLON = 58;
export const SEMI = 59;
export const LAQUOT = 60;
export const EQUALS = 61;
export const RAQUOT = 62;
export const LBRACKET = 91;
const BACKSLASH = 92;

// token = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~")
const tokenTable = new Uint8Array(256);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~")
  tokenTable[char.charCodeAt(0)] = 1;

/** Whether the whole text is one token. The empty text is not. */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (tokenTable[text.charCodeAt(i)] !== 1) return false;
  return text.length > 0;
}

// White space, control characters, and for a URI the characters that end it
const breaking = new Uint8Array(256).fill(1, 0, SP + 1).fill(1, 127, 128);
const endsUri = Uint8Array.from(breaking);
for (const code of [LAQUOT, RAQUOT, QUOTE]) endsUri[code] = 1;

/** Whether the text can be a URI in a request line and between angle brackets, of any scheme. The empty text cannot. */
export function isUriText(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (endsUri[text.charCodeAt(i)] === 1) return false;
  return text.length > 0;
}

// ── Parts of a message, as bytes (`bytes.ts`) ──────────────────────────────────────────────────────────────────────────────────

/** `isToken` for the bytes from `start` to `end`. */
export function isTokenAt(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (tokenTable[bytes[i] as number] !== 1) return false;
  return end > start;
}

/** `isUriText` for the bytes from `start` to `end`. */
export function isUriAt(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (endsUri[bytes[i] as number] === 1) return false;
  return end > start;
}

/** Whether the bytes have no white space and no control character. */
export function isUnbrokenAt(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (breaking[bytes[i] as number] === 1) return false;
  return true;
}

/** Whether the bytes have these characters from `at` on. */
export function hasAt(bytes: Uint8Array, at: number, expected: string): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected.charCodeAt(i)) return false;
  return true;
}

/** Whether the bytes are this name, which is in lower case, when case is ignored. */
export function isNameAt(bytes: Uint8Array, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) {
    const code = bytes[start + i] as number;
    const lower = code >= 65 && code <= 90 ? code + 32 : code;
    if (lower !== name.charCodeAt(i)) return false;
  }
  return true;
}

export const isSpace = (code: number): boolean => code === SP || code === HT || code === CR || code === LF;

/** Returns the first offset at or after `at` without linear white space. */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && isSpace(bytes[at] as number)) at++;
  return at;
}

/** Returns the offset after the last character before `end` that is not linear white space; at least `start`. */
export function trimEnd(bytes: Uint8Array, start: number, end: number): number {
  while (end > start && isSpace(bytes[end - 1] as number)) end--;
  return end;
}

/** Returns the offset after the closing quote of the quoted-string at `at`, or -1 when it is not closed. */
export function skipQuoted(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at + 1; i < end; i++) {
    const code = bytes[i];
    if (code === BACKSLASH) i++;
    else if (code === QUOTE) return i + 1;
  }
  return -1;
}

/** Returns the value of 1 to 10 decimal digits, or -1 for any other text and for a value above `max`. */
export function parseDigits(text: string, max: number): number {
  if (text.length === 0 || text.length > 10) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value <= max ? value : -1;
}
