/**
 * Digest credentials: Authorization and Proxy-Authorization (RFC 3261 §20.7, §20.28, §25.1; RFC 7616 §3.4).
 *
 *   credentials     = ("Digest" LWS digest-response) / other-response
 *   digest-response = dig-resp *(COMMA dig-resp)
 *   dig-resp        = username / realm / nonce / digest-uri / dresponse / algorithm / cnonce / opaque / message-qop / nonce-count
 *
 * Leniencies: `algorithm`, `qop` and `nc` may be quoted, and any other value may be without quotes, because phones mix them up. Empty list
 * elements are skipped. Unknown parameters may occur twice. Any parameter may be absent, because phones without a challenge send only some of
 * them (IMS, 3GPP TS 24.229). `username*` and `userhash` (RFC 7616 §3.4.4) are not supported, because no challenge offers them.
 */
import { bytesOf } from "./bytes.ts";
import { COMMA, isSpace, isToken, QUOTE, skipQuoted, skipSpace, trimEnd } from "./characters.ts";
import { maxCredentials, maxFieldBytes, maxListValues } from "./limits.ts";
import type { IndexedText } from "./message.ts";
import { isProblem, type ParseProblem, problem } from "./problem.ts";

/** Wire text; "": the parameter is absent or empty. */
export interface DigestCredentials {
  /** Without quotes and escapes. */
  readonly username: string;
  /** Without quotes and escapes. */
  readonly realm: string;
  /** The text between the quotes, as for `uri` and `cnonce`: it is hashed (RFC 7616 §3.4.1). */
  readonly nonce: string;
  readonly uri: string;
  /** As sent. Its length may differ from the algorithm's hash. */
  readonly response: string;
  /** As sent; undefined: MD5 (RFC 7616 §3.4). */
  readonly algorithm: string | undefined;
  /** As sent. */
  readonly qop: string | undefined;
  readonly cnonce: string | undefined;
  /** 1 to 8 hexadecimal digits as sent. They are hashed. */
  readonly nc: string | undefined;
}

/** Returns undefined for another scheme. The reason of a problem (400) never contains a value, because values are secrets. */
export function parseDigestCredentials(value: string): DigestCredentials | ParseProblem | undefined {
  const start = skipSpace(bytesOf(value), 0, value.length);
  if (value.slice(start, start + 6).toLowerCase() !== "digest" || !isSpace(value.charCodeAt(start + 6)))
    return undefined;
  if (value.length > maxFieldBytes) return problem(`credentials: more than ${maxFieldBytes} bytes`);
  const found = collectParameters(value, start + 7);
  if (isProblem(found)) return found;
  const of = (name: Name): string | undefined => found[placeOf(name)];
  const nc = of("nc");
  if (nc !== undefined && nc !== "" && !/^[0-9a-fA-F]{1,8}$/.test(nc))
    return problem("credentials: nc is not 8 hexadecimal digits");
  return {
    username: unescapeQuoted(of("username") ?? ""),
    realm: unescapeQuoted(of("realm") ?? ""),
    nonce: of("nonce") ?? "",
    uri: of("uri") ?? "",
    response: of("response") ?? "",
    algorithm: of("algorithm"),
    qop: of("qop"),
    cnonce: of("cnonce"),
    nc: nc === "" ? undefined : nc,
  };
}

type CredentialsField = "authorization" | "proxy-authorization";

/**
 * The credentials for `realm`, in the order of the fields; may be empty. There may be several: old and new ones, and one for each algorithm.
 * Credentials for other realms belong to other hops (§22.3). An unreadable field is a problem only when no other field has credentials for
 * `realm`.
 */
export function findDigestCredentials(
  message: IndexedText,
  name: CredentialsField,
  realm: string,
): readonly DigestCredentials[] | ParseProblem {
  const { found, firstProblem } = readAll(message, name);
  const ofRealm = found.filter((credentials) => credentials.realm === realm);
  return ofRealm.length === 0 && firstProblem !== undefined ? firstProblem : ofRealm;
}

/** The user names and realms of all credentials, for any realm. Empty names are omitted. */
export const digestLogins = (
  message: IndexedText,
  name: CredentialsField,
): readonly Pick<DigestCredentials, "username" | "realm">[] =>
  readAll(message, name).found.filter(({ username }) => username !== "");

interface ReadCredentials {
  readonly found: readonly DigestCredentials[];
  readonly firstProblem: ParseProblem | undefined;
}

/** A registrar or a proxy needs the credentials of a request three or four times. To parse them takes 3 µs. */
const known: Readonly<Record<CredentialsField, WeakMap<IndexedText, ReadCredentials>>> = {
  authorization: new WeakMap(),
  "proxy-authorization": new WeakMap(),
};

function readAll(message: IndexedText, name: CredentialsField): ReadCredentials {
  const read = known[name].get(message);
  if (read !== undefined) return read;
  const made = parseAll(message, name);
  known[name].set(message, made);
  return made;
}

function parseAll(message: IndexedText, name: CredentialsField): ReadCredentials {
  const found: DigestCredentials[] = [];
  let firstProblem: ParseProblem | undefined;
  for (const field of message.fields) {
    if (field.name !== name || found.length === maxCredentials) continue;
    const one = parseDigestCredentials(message.text.slice(field.valueStart, field.valueEnd));
    if (isProblem(one)) firstProblem ??= one;
    else if (one !== undefined) found.push(one);
  }
  return { found, firstProblem };
}

const names = ["username", "realm", "nonce", "uri", "response", "algorithm", "qop", "cnonce", "nc"] as const;
type Name = (typeof names)[number];
const places: ReadonlyMap<string, number> = new Map(names.map((name, place) => [name, place]));
const placeOf = (name: Name): number => places.get(name) ?? 0;

/**
 * The known parameters, in the places of `names`. A value is the text between its quotes. An object with the names as keys takes a third longer,
 * because V8 must first find each name among all names of properties.
 */
function collectParameters(value: string, from: number): readonly (string | undefined)[] | ParseProblem {
  const bytes = bytesOf(value);
  const found = new Array<string | undefined>(names.length).fill(undefined);
  const end = value.length;
  let count = 0;
  let at = skipSpace(bytes, from, end);
  while (at < end) {
    if (bytes[at] === COMMA) {
      at = skipSpace(bytes, at + 1, end);
      continue;
    }
    if (++count > maxListValues) return problem(`credentials: more than ${maxListValues} parameters`, at);
    const equals = value.indexOf("=", at);
    if (equals < 0) return problem('credentials: expected "=" after a name', at);
    const name = value.slice(at, trimEnd(bytes, at, equals));
    const place = places.get(name) ?? places.get(name.toLowerCase());
    if (place === undefined && !isToken(name))
      return problem("credentials: a parameter's name is not a token", at);
    const start = skipSpace(bytes, equals + 1, end);
    const isQuoted = bytes[start] === QUOTE;
    const valueEnd = isQuoted ? skipQuoted(bytes, start, end) : unquotedEnd(bytes, start, end);
    if (valueEnd < 0) return problem(`credentials: the quote of a value is not closed`, start);
    if (place !== undefined) {
      if (found[place] !== undefined) return problem(`credentials: ${names[place]} twice`, at);
      found[place] = isQuoted ? value.slice(start + 1, valueEnd - 1) : value.slice(start, valueEnd);
    }
    at = skipSpace(bytes, valueEnd, end);
    if (at < end && bytes[at] !== COMMA) return problem("credentials: expected a comma", at);
  }
  return found;
}

function unquotedEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== COMMA && !isSpace(bytes[at] as number)) at++;
  return at;
}

const unescapeQuoted = (text: string): string => (text.includes("\\") ? text.replace(/\\(.)/gs, "$1") : text);
