/**
 * Comparison of SIP URIs (RFC 3261 §19.1.4), and a canonical text for keys.
 *
 * Equality is not transitive. A parameter that only one URI has is ignored: `sip:h` equals `sip:h;a=1` and `sip:h;a=2`, which are different.
 * A key cannot express that. URIs with the same canonical text are always equal. Equal URIs may have different canonical texts.
 *
 * Leniency: values of header components are compared without case, as in most fields (§7.3.1).
 */
import { isProblem } from "./problem.ts";
import { parseUri } from "./uri.ts";

interface Comparable {
  /** Scheme, userinfo, host and port. */
  readonly address: string;
  /** By name. */
  readonly parameters: ReadonlyMap<string, string>;
  /** In order of their names. */
  readonly headers: string;
}

/** Parameters that are compared also when only one URI has them, because their absence differs from every value. */
const neverIgnored: ReadonlySet<string> = new Set(["user", "ttl", "method", "maddr", "transport"]);

/** Texts that are not SIP URIs are equal when they are identical. */
export function areEqualUris(a: string, b: string): boolean {
  if (a === b) return true;
  const [one, other] = [toComparable(a), toComparable(b)];
  if (one === undefined || other === undefined) return false;
  return (
    one.address === other.address &&
    one.headers === other.headers &&
    agree(one.parameters, other.parameters) &&
    agree(other.parameters, one.parameters)
  );
}

/** Includes every parameter and header component. Returns the text itself when it is not a SIP URI. */
export function canonicalUri(text: string): string {
  const uri = toComparable(text);
  if (uri === undefined) return text;
  const parameters = [...uri.parameters].sort(byName).map(([name, value]) => `;${name}=${value}`);
  return `${uri.address}${parameters.join("")}?${uri.headers}`;
}

const agree = (one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean =>
  [...one].every(([name, value]) => {
    const counterpart = other.get(name);
    return counterpart === undefined ? !neverIgnored.has(name) : counterpart === value;
  });

function toComparable(text: string): Comparable | undefined {
  const uri = parseUri(text);
  if (isProblem(uri)) return undefined;
  const at = uri.user === undefined ? -1 : text.indexOf("@");
  const userinfo = at < 0 ? "" : `${unescaped(text.slice(text.indexOf(":") + 1, at))}@`;
  const headers = [...pairs(uri.headers, "&")].sort(byName).map(([name, value]) => `${name}=${value}`);
  return {
    address: `${uri.scheme}:${userinfo}${canonicalHost(uri.host)}:${uri.port ?? ""}`,
    parameters: pairs(uri.parameters, ";"),
    headers: headers.join("&"),
  };
}

/** `name=value` pairs. A name that occurs twice, which §19.1.1 forbids, has all its values. */
function pairs(text: string, separator: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of text.split(separator)) {
    const equals = part.indexOf("=");
    const name = unescaped(equals < 0 ? part : part.slice(0, equals))
      .trim()
      .toLowerCase();
    const value =
      equals < 0
        ? ""
        : unescaped(part.slice(equals + 1))
            .trim()
            .toLowerCase();
    if (name === "") continue;
    const before = found.get(name);
    found.set(name, before === undefined ? value : `${before}\n${value}`);
  }
  return found;
}

const byName = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : 1);

/** A character is equal to its escape, unless it is reserved (§25.1): an escaped reserved character is not a separator. */
const unescaped = (text: string): string =>
  text.replace(/%([0-9a-fA-F]{2})/g, (escape, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return ";/?:@&=+$,%".includes(character) ? escape.toUpperCase() : character;
  });

/** The canonical spelling of an IPv6 address (RFC 5954 §4.2): all eight words, without leading zeros. */
export function canonicalHost(host: string): string {
  if (!host.includes(":")) return host;
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(host);
  const words = (high: string | undefined, low: string | undefined): string =>
    (Number(high) * 256 + Number(low)).toString(16);
  const hex =
    dotted === null ? host : `${dotted[1]}${words(dotted[2], dotted[3])}:${words(dotted[4], dotted[5])}`;
  const [left = [], right] = hex.split("::").map((half) => (half === "" ? [] : half.split(":")));
  const filled =
    right === undefined
      ? left
      : [...left, ...new Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0"), ...right];
  return filled.map((word) => word.replace(/^0+(?=.)/, "")).join(":");
}
