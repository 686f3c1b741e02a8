/** Equality of URIs by each rule of RFC 3261 §19.1.4, and canonical texts. */
import { describe, expect, it } from "vitest";
import { areEqualUris, canonicalUri } from "./compare-uris.ts";

/** Whether they are equal, and whether they have the same canonical text. */
const pairs: readonly (readonly [
  rule: string,
  a: string,
  b: string,
  isEqual: boolean,
  hasSameText: boolean,
])[] = [
  ["another case in the user part", "sip:bob@h", "sip:Bob@h", false, false],
  ["another case in the password", "sip:bob:x@h", "sip:bob:X@h", false, false],
  ["a password in one only", "sip:bob:x@h", "sip:bob@h", false, false],
  [
    "case counts nowhere else",
    "SIP:bob@H.example;Transport=UDP;x=Y",
    "sip:bob@h.EXAMPLE;transport=udp;X=y",
    true,
    true,
  ],
  ["a sip URI and a sips URI", "sip:bob@h", "sips:bob@h", false, false],
  ["an escape and its character", "sip:%62ob@h;%78=%79", "sip:bob@h;x=y", true, true],
  ["an escape and its reserved character", "sip:a%3Bb@h", "sip:a;b@h", false, false],
  ["another case in an escape", "sip:a%3bb@h", "sip:a%3Bb@h", true, true],
  ["no user and a user", "sip:h", "sip:bob@h", false, false],
  ["no port and the default port", "sip:bob@h", "sip:bob@h:5060", false, false],
  ["another port", "sip:bob@h:5061", "sip:bob@h:5060", false, false],
  ["another host", "sip:bob@h", "sip:bob@i", false, false],
  ["the dot of the root", "sip:bob@h.example.", "sip:bob@h.example", true, true],
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
  ["a parameter that occurs twice", "sip:bob@h;x=1;x=2", "sip:bob@h;x=1;x=3", false, false],
  ["ob in one only is ignored", "sip:bob@h;ob", "sip:bob@h", true, false],
  ["any other parameter in one only is ignored", "sip:bob@h;a=1", "sip:bob@h;b=1", true, false],
  ["user in one only is not ignored", "sip:+1@h;user=phone", "sip:+1@h", false, false],
  ["ttl in one only", "sip:bob@h;ttl=1", "sip:bob@h", false, false],
  ["method in one only", "sip:bob@h;method=INVITE", "sip:bob@h", false, false],
  ["maddr in one only", "sip:bob@h", "sip:bob@h;maddr=192.0.2.1", false, false],
  ["transport in one only", "sip:bob@h", "sip:bob@h;transport=udp", false, false],
  ["a header in one only", "sip:bob@h?subject=x", "sip:bob@h", false, false],
  ["another header", "sip:bob@h?subject=x", "sip:bob@h?subject=y", false, false],
  [
    "the order of headers",
    "sip:bob@h?subject=a%20b&priority=urgent",
    "sip:bob@h?Priority=urgent&subject=a%20b",
    true,
    true,
  ],
  ["identical URIs of another scheme", "tel:+1", "tel:+1", true, true],
  ["different URIs of another scheme", "tel:+1", "tel:+2", false, false],
];

describe("§19.1.4", () => {
  it.each(pairs)("%s: %s, %s", (_, a, b, isEqual, hasSameText) => {
    expect([areEqualUris(a, b), areEqualUris(b, a)]).toEqual([isEqual, isEqual]);
    expect(canonicalUri(a) === canonicalUri(b)).toBe(hasSameText);
  });

  it("equality is not transitive, and URIs that are not equal never have the same canonical text", () => {
    const [plain, one, two] = ["sip:bob@h", "sip:bob@h;rinstance=a", "sip:bob@h;rinstance=b"] as const;
    expect([areEqualUris(plain, one), areEqualUris(plain, two), areEqualUris(one, two)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(new Set([plain, one, two].map(canonicalUri)).size).toBe(3);
  });
});
