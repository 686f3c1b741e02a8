/** Names of header fields. A compact form is the same field as its long form (RFC 3261 §7.3.3, §20). */
import { hasAt } from "./characters.ts";
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

interface Spelling {
  readonly text: string;
  readonly name: FieldName;
}

/** Usual spellings by their length and first character: Call-ID, CSeq, User-Agent, and compact forms. */
const usual: Spelling[][] = [];
const placeOf = (length: number, first: number): number => length * 128 + first;
for (const [name, field] of byName) {
  const capitals = name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
  const special = { "Call-Id": "Call-ID", Cseq: "CSeq", "Www-Authenticate": "WWW-Authenticate" } as const;
  const text = name.length === 1 ? name : (special[capitals as keyof typeof special] ?? capitals);
  (usual[placeOf(text.length, text.charCodeAt(0))] ??= []).push({ text, name: field });
}
for (let place = 0; place < usual.length; place++) usual[place] ??= [];

/** The name between two offsets. A usual spelling is found without a part of the text: a message has ten to twenty. */
export function fieldNameAt(text: string, bytes: Uint8Array, start: number, end: number): FieldName {
  const candidates = usual[placeOf(end - start, (bytes[start] as number) & 127)];
  if (candidates !== undefined)
    for (const { text: spelling, name } of candidates) if (hasAt(bytes, start, spelling)) return name;
  return lookUp(text.slice(start, end));
}

/** A cache of spellings, of limited size. Phones spell a name in one or two ways, so most look-ups need no conversion to lower case. */
const spellings = new Map<string, FieldName>();
const maxSpellings = 512;

function lookUp(spelling: string): FieldName {
  const known = spellings.get(spelling);
  if (known !== undefined) return known;
  const name = byName.get(spelling.toLowerCase()) ?? "other";
  if (spellings.size < maxSpellings && spelling.length < 32) spellings.set(spelling, name);
  return name;
}
