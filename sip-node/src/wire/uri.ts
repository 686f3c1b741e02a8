/**
 * SIP and SIPS URIs (RFC 3261 §19.1).
 *
 *   SIP-URI  = "sip:" [ userinfo ] hostport uri-parameters [ headers ]
 *   userinfo = ( user / telephone-subscriber ) [ ":" password ] "@"
 *
 * A user part is compared after unescaping (§19.1.4), with case. The host is compared without case.
 */
import { parseDigits } from "./characters.ts";
import { parameter } from "./name-addr.ts";
import { type ParseProblem, problem } from "./problem.ts";

export interface SipUri {
  readonly scheme: "sip" | "sips";
  /** Unescaped; undefined: the URI has no user. */
  readonly user: string | undefined;
  /** Lower case, without the brackets of an IPv6 reference. */
  readonly host: string;
  readonly port: number | undefined;
  /** `;name=value` text as written, or the empty text. */
  readonly parameters: string;
  /** The text after `?`, or the empty text. */
  readonly headers: string;
}

/** The texts that were read last, and what they are, each at the place of its length and three of its characters. */
const places = 128;
const lastTexts = new Array<string>(places).fill("");
const lastResults = new Array<SipUri | ParseProblem | undefined>(places).fill(undefined);

/**
 * Returns a problem with 416 for another scheme (§8.2.2.1), and with 400 for an invalid SIP URI. The steps of one request read its four URIs
 * three times each. The last results are kept: one is found with one comparison of texts, and to read a URI again takes 300 ns and four objects.
 */
export function parseUri(text: string): SipUri | ParseProblem {
  const place = placeOf(text);
  if (lastTexts[place] === text) {
    const known = lastResults[place];
    if (known !== undefined) return known;
  }
  const result = readUri(text);
  lastTexts[place] = text;
  lastResults[place] = result;
  return result;
}

/** Users of one domain differ in the middle, contacts of one user at the end. */
function placeOf(text: string): number {
  const { length } = text;
  if (length < 4) return 0;
  const middle = (text.charCodeAt(length >> 1) << 4) ^ (text.charCodeAt((length >> 1) - 2) << 2);
  return (middle ^ text.charCodeAt(length - 1) ^ (length * 7)) & (places - 1);
}

function readUri(text: string): SipUri | ParseProblem {
  const colon = text.indexOf(":");
  const scheme = text.slice(0, colon).toLowerCase();
  if (colon <= 0) return problem(`URI "${text.slice(0, 64)}": no scheme`);
  if (scheme !== "sip" && scheme !== "sips")
    return problem(`URI scheme "${scheme.slice(0, 32)}" is not sip or sips`, 0, 416);
  const at = text.indexOf("@", colon);
  const question = text.indexOf("?", at < 0 ? colon : at);
  const headers = question < 0 ? "" : text.slice(question + 1);
  const hostStart = at < 0 ? colon + 1 : at + 1;
  const addressEnd = question < 0 ? text.length : question;
  const semicolon = text.indexOf(";", hostStart);
  const hostEnd = semicolon < 0 || semicolon > addressEnd ? addressEnd : semicolon;
  const user = at < 0 ? undefined : unescapeUser(text.slice(colon + 1, at));
  if (user === "") return problem("URI: the user part is empty");
  if (user === undefined && at >= 0) return problem('URI: "%" without two hexadecimal digits');
  const hostport = parseHostPort(text.slice(hostStart, hostEnd));
  if (hostport === undefined)
    return problem(`URI: "${text.slice(hostStart, hostEnd).slice(0, 64)}" is not a host`);
  const { host, port } = hostport;
  return { scheme, user, host, port, parameters: text.slice(hostEnd, addressEnd), headers };
}

/** Whether the URI may be reached over TLS only (§26.2.2). */
export const isSecure = (uri: string): boolean => /^sips:/i.test(uri);

/** The value of a parameter of the URI, as `parameter` returns it. */
export const uriParameter = (uri: SipUri, name: string): string | undefined =>
  parameter(uri.parameters, name);

/** `host[:port]`, the host in lower case and without brackets; undefined: it is neither a host name nor an address. */
export function parseHostPort(text: string): { host: string; port: number | undefined } | undefined {
  let host: string;
  let rest: string;
  if (text.startsWith("[")) {
    const close = text.indexOf("]");
    if (close < 0 || !/^[0-9a-fA-F:.]+$/.test(text.slice(1, close))) return undefined;
    host = text.slice(1, close).toLowerCase();
    rest = text.slice(close + 1);
  } else {
    const colon = text.indexOf(":");
    host = (colon < 0 ? text : text.slice(0, colon)).toLowerCase();
    rest = colon < 0 ? "" : text.slice(colon);
    if (!isHostName(host)) return undefined;
    if (host.endsWith(".")) host = host.slice(0, -1); // §25.1 allows the dot of the root; names are compared without it
  }
  if (rest === "") return { host, port: undefined };
  const port = rest.startsWith(":") ? parseDigits(rest.slice(1), 65_535) : -1;
  return port > 0 ? { host, port } : undefined;
}

/** Letters in lower case, digits, "_", and after the first character "." and "-". */
function isHostName(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const isFirst = (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 95;
    if (!isFirst && (i === 0 || (code !== 45 && code !== 46))) return false;
  }
  return text.length > 0;
}

/** The user part without its password and escapes; undefined: an escape is invalid. */
function unescapeUser(userinfo: string): string | undefined {
  const colon = userinfo.indexOf(":");
  const user = colon < 0 ? userinfo : userinfo.slice(0, colon);
  if (!user.includes("%")) return user;
  if (/%(?![0-9a-fA-F]{2})/.test(user)) return undefined;
  return user.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
