/** Equality of URIs (RFC 3261 §19.1.4), by its rules one by one, and keys that agree with it. */
import { describe, expect, it } from "vitest";
import { areEqualUris, canonicalUri } from "./compare-uris.ts";

/** The third says whether a key may call them the same: what only one URI has, no key can leave out. */
const pairs: readonly (readonly [
  rule: string,
  a: string,
  b: string,
  isEqual: boolean,
  hasOneKey: boolean,
])[] = [
  ["case counts in the user part", "sip:bob@h", "sip:Bob@h", false, false],
  ["and in the password", "sip:bob:x@h", "sip:bob:X@h", false, false],
  ["a password that only one has", "sip:bob:x@h", "sip:bob@h", false, false],
  [
    "case counts nowhere else",
    "SIP:bob@H.example;Transport=UDP;x=Y",
    "sip:bob@h.EXAMPLE;transport=udp;X=y",
    true,
    true,
  ],
  ["a sips URI is no sip URI", "sip:bob@h", "sips:bob@h", false, false],
  ["an escape is its character", "sip:%62ob@h;%78=%79", "sip:bob@h;x=y", true, true],
  ["but for a reserved one", "sip:a%3Bb@h", "sip:a;b@h", false, false],
  ["whose escape has no case", "sip:a%3bb@h", "sip:a%3Bb@h", true, true],
  ["no user and a user", "sip:h", "sip:bob@h", false, false],
  ["a default port that is said", "sip:bob@h", "sip:bob@h:5060", false, false],
  ["another port", "sip:bob@h:5061", "sip:bob@h:5060", false, false],
  ["another host", "sip:bob@h", "sip:bob@i", false, false],
  ["the root's dot", "sip:bob@h.example.", "sip:bob@h.example", true, true],
  [
    "RFC 5954 §4.2: spellings of an IPv6 address",
    "sip:bob@[2001:DB8::1]",
    "sip:bob@[2001:db8:0:0:0:0:0:01]",
    true,
    true,
  ],
  ["with IPv4 at its end", "sip:bob@[::ffff:192.0.2.1]", "sip:bob@[0:0:0:0:0:ffff:c000:201]", true, true],
  ["another IPv6 address", "sip:bob@[2001:db8::1]", "sip:bob@[2001:db8::10]", false, false],
  ["the order of parameters", "sip:bob@h;a=1;b=2", "sip:bob@h;b=2;a=1", true, true],
  ["rinstance in both", "sip:bob@h;rinstance=a", "sip:bob@h;rinstance=b", false, false],
  ["line in both", "sip:bob@h;line=1", "sip:bob@h;line=2", false, false],
  ["any parameter in both", "sip:bob@h;x", "sip:bob@h;x=1", false, false],
  ["one that stands twice", "sip:bob@h;x=1;x=2", "sip:bob@h;x=1;x=3", false, false],
  ["ob in one alone is ignored", "sip:bob@h;ob", "sip:bob@h", true, false],
  ["any other in one alone too", "sip:bob@h;a=1", "sip:bob@h;b=1", true, false],
  ["user in one alone is not", "sip:+1@h;user=phone", "sip:+1@h", false, false],
  ["ttl in one alone", "sip:bob@h;ttl=1", "sip:bob@h", false, false],
  ["method in one alone", "sip:bob@h;method=INVITE", "sip:bob@h", false, false],
  ["maddr in one alone", "sip:bob@h", "sip:bob@h;maddr=192.0.2.1", false, false],
  ["transport in one alone", "sip:bob@h", "sip:bob@h;transport=udp", false, false],
  ["a header in one alone", "sip:bob@h?subject=x", "sip:bob@h", false, false],
  ["another header", "sip:bob@h?subject=x", "sip:bob@h?subject=y", false, false],
  [
    "the order of headers",
    "sip:bob@h?subject=a%20b&priority=urgent",
    "sip:bob@h?Priority=urgent&subject=a%20b",
    true,
    true,
  ],
  ["other schemes compare as text", "tel:+1", "tel:+1", true, true],
  ["other schemes that differ", "tel:+1", "tel:+2", false, false],
];

describe("§19.1.4", () => {
  it.each(pairs)("%s: %s, %s", (_, a, b, isEqual, hasOneKey) => {
    expect([areEqualUris(a, b), areEqualUris(b, a)]).toEqual([isEqual, isEqual]);
    expect(canonicalUri(a) === canonicalUri(b)).toBe(hasOneKey);
  });

  it("equality is not transitive, and one key never joins what is not equal", () => {
    const [plain, one, two] = ["sip:bob@h", "sip:bob@h;rinstance=a", "sip:bob@h;rinstance=b"] as const;
    expect([areEqualUris(plain, one), areEqualUris(plain, two), areEqualUris(one, two)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(new Set([plain, one, two].map(canonicalUri)).size).toBe(3);
  });
});
