/** Character classes of the RFC 3261 §25.1 grammar, by code, as the parsers of this room read latin1 text. */

export const HT = 9;
export const LF = 10;
export const CR = 13;
export const SP = 32;
export const QUOTE = 34;
export const COMMA = 44;
export const COLON = 58;
export const SEMI = 59;
export const LAQUOT = 60;
export const RAQUOT = 62;
export const LBRACKET = 91;
const BACKSLASH = 92;

// token = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~")
const tokenTable = new Uint8Array(256);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~")
  tokenTable[char.charCodeAt(0)] = 1;

/** Whether the whole text is one token; the empty text is none. */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (tokenTable[text.charCodeAt(i)] !== 1) return false;
  return text.length > 0;
}

/** Whether the text holds no white space and no control character. */
export function isUnbroken(text: string): boolean {
  for (let i = 0; i < text.length; i++)
    if (text.charCodeAt(i) <= SP || text.charCodeAt(i) === 127) return false;
  return true;
}

/** Whether the text can stand as a URI in a request line and between angle brackets, whatever its scheme; the empty text cannot. */
export const isUriText = (text: string): boolean =>
  text.length > 0 && isUnbroken(text) && !/[<>"]/.test(text);

export const isSpace = (code: number): boolean => code === SP || code === HT || code === CR || code === LF;

/** First offset at or after `at` that holds no linear white space. */
export function skipSpace(text: string, at: number, end: number): number {
  while (at < end && isSpace(text.charCodeAt(at))) at++;
  return at;
}

/** Offset behind the last character before `end` that is no linear white space, not before `start`. */
export function trimEnd(text: string, start: number, end: number): number {
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return end;
}

/** Offset behind the closing quote of the quoted-string that opens at `at`, or -1 when it never closes. */
export function skipQuoted(text: string, at: number, end: number): number {
  for (let i = at + 1; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) i++;
    else if (code === QUOTE) return i + 1;
  }
  return -1;
}

/** The value of 1 to 10 decimal digits, or -1: no sign, no space, at most `max`. */
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
