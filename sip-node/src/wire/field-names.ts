/** Names of header fields. A compact form is the same field as its long form (RFC 3261 §7.3.3, §20). */
import type { FieldName } from "./message.ts";

const longNames: readonly Exclude<FieldName, "other">[] = [
  "via",
  "from",
  "to",
  "call-id",
  "cseq",
  "contact",
  "route",
  "record-route",
  "max-forwards",
  "expires",
  "min-expires",
  "authorization",
  "www-authenticate",
  "proxy-authenticate",
  "proxy-authorization",
  "require",
  "proxy-require",
  "supported",
  "content-length",
  "content-type",
  "path",
  "user-agent",
  "event",
  "allow",
  "retry-after",
  "reason",
  "timestamp",
  "privacy",
  "p-asserted-identity",
  "p-preferred-identity",
  "remote-party-id",
]; // prettier-ignore

const byName = new Map<string, FieldName>(longNames.map((name) => [name, name]));
const compact: Readonly<Record<string, FieldName>> = {
  v: "via",
  f: "from",
  t: "to",
  i: "call-id",
  m: "contact",
  k: "supported",
  l: "content-length",
  c: "content-type",
  o: "event",
}; // prettier-ignore
for (const [letter, name] of Object.entries(compact)) byName.set(letter, name);

/** A cache of spellings, of limited size. Phones spell a name in one or two ways, so most look-ups need no conversion to lower case. */
const spellings = new Map<string, FieldName>();
const maxSpellings = 512;

export function fieldName(spelling: string): FieldName {
  const known = spellings.get(spelling);
  if (known !== undefined) return known;
  const name = byName.get(spelling.toLowerCase()) ?? "other";
  if (spellings.size < maxSpellings && spelling.length < 32) spellings.set(spelling, name);
  return name;
}
