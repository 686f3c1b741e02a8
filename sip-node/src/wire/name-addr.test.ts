/** From, To, Contact and Route values (RFC 3261 §20.10, §25.1). */
import { describe, expect, it } from "vitest";
import { maxTokenBytes } from "./limits.ts";
import { type NameAddr, parameter, parseNameAddr } from "./name-addr.ts";
import { isProblem } from "./problem.ts";

const parse = (text: string): NameAddr => {
  const found = parseNameAddr(text, 0, text.length, "To");
  if (isProblem(found)) throw new Error(found.reason);
  return found;
};

describe("parseNameAddr", () => {
  it.each([
    ["<sip:bob@example.com>", "sip:bob@example.com", undefined],
    ["sip:bob@example.com", "sip:bob@example.com", undefined],
    ["Bob <sip:bob@example.com>;tag=a", "sip:bob@example.com", "a"],
    ['"Bob" <sip:bob@example.com;tag=no>;tag=a', "sip:bob@example.com;tag=no", "a"],
    ['"A \\" <sip:no@no>;tag=no" <sip:bob@example.com> ; TAG = a', "sip:bob@example.com", "a"],
    ['"\\\\"<sip:bob@example.com>', "sip:bob@example.com", undefined],
    ["caller<sip:bob@example.com>;tag=a", "sip:bob@example.com", "a"],
    ["< sip:bob@example.com >;x=y", "sip:bob@example.com", undefined],
    ["<tel:+4930123>;tag=a", "tel:+4930123", "a"],
    ["<sip:[2001:db8::1]:5060;lr>;tag=a", "sip:[2001:db8::1]:5060;lr", "a"],
    ['<sip:b@h>;x="a;tag=no\\"";tag=a', "sip:b@h", "a"],
  ])("%j: URI %j, tag %j", (text, uri, tag) => {
    expect(parse(text)).toMatchObject({ uri, tag });
  });

  it("§20.10: without angle brackets parameters belong to the header", () => {
    expect(parse("sip:bob@example.com;tag=a;x=y")).toMatchObject({
      uri: "sip:bob@example.com",
      parameters: ";tag=a;x=y",
    });
  });

  it("the offsets exclude white space around the value", () => {
    const text = "x,  <sip:a@h>;q=1  ,y";
    const found = parseNameAddr(text, 2, 19, "Contact");
    expect(isProblem(found) ? "" : text.slice(found.start, found.end)).toBe("<sip:a@h>;q=1");
  });

  it.each([
    "",
    "   ",
    "<>",
    '"Bob <sip:b@h>',
    "<sip:b@h",
    "<sip:b@h> x",
    "<sip:b@h>, <sip:c@h>",
    "sip:b@h, sip:c@h",
    "sip:b@h?Route=%3Csip:x%3E",
    "<sip:b c@h>",
    "<sip:b@h\r\n x>",
    '<sip:"b@h>',
    "<sip:b@h<x>",
    "<sip:b@h>;tag",
    "<sip:b@h>;tag=",
    `<sip:b@h>;tag=${"a".repeat(maxTokenBytes + 1)}`,
  ])("%j is refused", (text) => {
    expect(isProblem(parseNameAddr(text, 0, text.length, "To"))).toBe(true);
  });
});

describe("parameter", () => {
  it.each([
    [";a=1;b=2", "b", "2"],
    [";A=1", "a", "1"],
    [" ;a=1", "a", undefined],
    ["; a = 1 ;b", "a", "1"],
    [";lr;a=1", "lr", ""],
    [";lr=;a=1", "lr", ""],
    [";lrx;a=1", "lr", undefined],
    [';a="x;b=no";b=yes', "b", "yes"],
    [';a="x\\"y\\\\"', "a", 'x"y\\'],
    [';a="x;b=no', "b", undefined],
    ["", "a", undefined],
  ])("of %j the value of %s is %j", (text, name, value) => {
    expect(parameter(text, name)).toBe(value);
  });
});
