/**
 * Digest credentials: Authorization and Proxy-Authorization (RFC 3261 §20.7, §20.28, §25.1; RFC 7616 §3.4).
 *
 *   credentials     = ("Digest" LWS digest-response) / other-response
 *   digest-response = dig-resp *(COMMA dig-resp)
 *   dig-resp        = username / realm / nonce / digest-uri / dresponse / algorithm / cnonce / opaque / message-qop / nonce-count
 *
 * Leniencies: `algorithm`, `qop` and `nc` may be quoted and any other value may be without quotes, because phones mix them up; empty
 * list elements are skipped; unknown parameters may come twice; any may be absent, for phones that have no challenge yet send what they
 * know (IMS, 3GPP TS 24.229). `username*` and `userhash` (RFC 7616 §3.4.4) are not known: nothing
 * of ours offers them.
 */
import { COMMA, isSpace, isToken, QUOTE, skipQuoted, skipSpace, trimEnd } from "./characters.ts";
import { maxCredentials, maxFieldBytes, maxListValues } from "./limits.ts";
import type { Field } from "./message.ts";
import { isProblem, type ParseProblem, problem } from "./problem.ts";

/** Text as everywhere in `wire`: one character for each byte; "" where the parameter is absent or empty. */
export interface DigestCredentials {
  /** Without quotes and escapes. */
  readonly username: string;
  /** Without quotes and escapes. */
  readonly realm: string;
  /** As between the quotes, like `uri` and `cnonce`: what is hashed (RFC 7616 §3.4.1). */
  readonly nonce: string;
  readonly uri: string;
  /** As sent; its length is that of its algorithm's hash only if it is right. */
  readonly response: string;
  /** As written; undefined means MD5 (RFC 7616 §3.4). */
  readonly algorithm: string | undefined;
  /** As written. */
  readonly qop: string | undefined;
  readonly cnonce: string | undefined;
  /** 1 to 8 hexadecimal digits as sent, which are hashed. */
  readonly nc: string | undefined;
}

/** The credentials in a header value; undefined for another scheme; a problem (400) that repeats no value, since those are secrets. */
export function parseDigestCredentials(value: string): DigestCredentials | ParseProblem | undefined {
  const start = skipSpace(value, 0, value.length);
  if (value.slice(start, start + 6).toLowerCase() !== "digest" || !isSpace(value.charCodeAt(start + 6)))
    return undefined;
  if (value.length > maxFieldBytes) return problem(`credentials: more than ${maxFieldBytes} bytes`);
  const found = collect(value, start + 7);
  if (isProblem(found)) return found;
  const {
    username = "",
    realm = "",
    nonce = "",
    uri = "",
    response = "",
    algorithm,
    qop,
    cnonce,
    nc,
  } = found;
  if (nc !== undefined && nc !== "" && !/^[0-9a-fA-F]{1,8}$/.test(nc))
    return problem("credentials: nc is not 8 hexadecimal digits");
  return {
    username: unescape(username),
    realm: unescape(realm),
    nonce,
    uri,
    response,
    algorithm,
    qop,
    cnonce,
    nc: nc === "" ? undefined : nc,
  };
}

interface Indexed {
  readonly text: string;
  readonly fields: readonly Field[];
}
type CredentialsField = "authorization" | "proxy-authorization";

/**
 * The credentials for `realm` in the order of the fields, of which there may be several: an old one before a new one, one for each algorithm
 * (§22.3: those for other realms are other hops'). May be empty. A field that cannot be read is the problem only where no other one will do.
 */
export function findDigestCredentials(
  message: Indexed,
  name: CredentialsField,
  realm: string,
): readonly DigestCredentials[] | ParseProblem {
  const { found, trouble } = readAll(message, name);
  const ours = found.filter((credentials) => credentials.realm === realm);
  return ours.length === 0 && trouble !== undefined ? trouble : ours;
}

/** The user names of all credentials with their realms, whatever realm that is; empty names are left out. */
export const digestLogins = (
  message: Indexed,
  name: CredentialsField,
): readonly Pick<DigestCredentials, "username" | "realm">[] =>
  readAll(message, name).found.filter(({ username }) => username !== "");

function readAll(
  message: Indexed,
  name: CredentialsField,
): { readonly found: readonly DigestCredentials[]; readonly trouble: ParseProblem | undefined } {
  const found: DigestCredentials[] = [];
  let trouble: ParseProblem | undefined;
  for (const field of message.fields) {
    if (field.name !== name || found.length === maxCredentials) continue;
    const one = parseDigestCredentials(message.text.slice(field.valueStart, field.valueEnd));
    if (isProblem(one)) trouble ??= one;
    else if (one !== undefined) found.push(one);
  }
  return { found, trouble };
}

const names = ["username", "realm", "nonce", "uri", "response", "algorithm", "qop", "cnonce", "nc"] as const;
type Name = (typeof names)[number];
const isKnown = (name: string): name is Name => (names as readonly string[]).includes(name);

/** The known parameters by lower-case name, each value as between its quotes. */
function collect(value: string, from: number): Partial<Record<Name, string>> | ParseProblem {
  const found: Partial<Record<Name, string>> = {};
  const end = value.length;
  let count = 0;
  let at = skipSpace(value, from, end);
  while (at < end) {
    if (value.charCodeAt(at) === COMMA) {
      at = skipSpace(value, at + 1, end);
      continue;
    }
    if (++count > maxListValues) return problem(`credentials: more than ${maxListValues} parameters`, at);
    const equals = value.indexOf("=", at);
    if (equals < 0) return problem('credentials: expected "=" behind a name', at);
    const name = value.slice(at, trimEnd(value, at, equals)).toLowerCase();
    if (!isToken(name)) return problem("credentials: a parameter's name is no token", at);
    const start = skipSpace(value, equals + 1, end);
    const isQuoted = value.charCodeAt(start) === QUOTE;
    const behind = isQuoted ? skipQuoted(value, start, end) : unquotedEnd(value, start, end);
    if (behind < 0) return problem(`credentials: the quote of a value is not closed`, start);
    if (isKnown(name)) {
      if (found[name] !== undefined) return problem(`credentials: ${name} twice`, at);
      found[name] = isQuoted ? value.slice(start + 1, behind - 1) : value.slice(start, behind);
    }
    at = skipSpace(value, behind, end);
    if (at < end && value.charCodeAt(at) !== COMMA) return problem("credentials: expected a comma", at);
  }
  return found;
}

function unquotedEnd(value: string, start: number, end: number): number {
  let at = start;
  while (at < end && value.charCodeAt(at) !== COMMA && !isSpace(value.charCodeAt(at))) at++;
  return at;
}

const unescape = (text: string): string => (text.includes("\\") ? text.replace(/\\(.)/gs, "$1") : text);
