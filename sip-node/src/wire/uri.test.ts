/** SIP URIs (RFC 3261 §19.1, RFC 5118 §4.1). */
import { describe, expect, it } from "vitest";
import { isProblem } from "./problem.ts";
import { parseHostPort, parseUri, uriParameter } from "./uri.ts";

const uri = (text: string) => {
  const found = parseUri(text);
  if (isProblem(found)) throw new Error(found.reason);
  return found;
};

describe("parseUri", () => {
  it.each([
    ["sip:bob@example.com", { scheme: "sip", user: "bob", host: "example.com", port: undefined }],
    ["SIPS:Bob@EXAMPLE.Com:5061", { scheme: "sips", user: "Bob", host: "example.com", port: 5061 }],
    ["sip:example.com", { user: undefined, host: "example.com" }],
    ["sip:example.com.", { host: "example.com" }],
    ["sip:bob:secret@example.com", { user: "bob" }],
    ["sip:%62ob%40x@example.com", { user: "bob@x" }],
    ["sip:bob;par=u%40h@example.com", { user: "bob;par=u@h", host: "example.com" }],
    ["sip:null-%00-null@example.com", { user: "null-\0-null" }],
    ["sip:1+2?a/b@example.com", { user: "1+2?a/b", headers: "" }],
    ["sip:bob@h;transport=tcp?Subject=x", { parameters: ";transport=tcp", headers: "Subject=x" }],
    ["sip:h?a=1;b=2", { host: "h", parameters: "", headers: "a=1;b=2" }],
    ["sip:[2001:DB8::10]", { host: "2001:db8::10", port: undefined }],
    ["sip:bob@[2001:db8::10]:5070;lr", { host: "2001:db8::10", port: 5070, parameters: ";lr" }],
    ["sip:bob@[::ffff:192.0.2.1]", { host: "::ffff:192.0.2.1" }],
  ])("%j", (text, parts) => {
    expect(uri(text)).toMatchObject(parts);
  });

  it("§8.2.2.1: another scheme is 416", () => {
    for (const text of ["tel:+4930123", "http://example.com", "nobodyKnowsThisScheme:x"])
      expect(parseUri(text)).toMatchObject({ status: 416 });
  });

  it.each([
    "",
    ":",
    "bob",
    "sip:",
    "sip:@example.com",
    "sip:bob@",
    "sip:bob@exa mple.com",
    "sip:bob@h:0",
    "sip:bob@h:65536",
    "sip:bob@h:5a",
    "sip:bob@h:",
    "sip:bob@2001:db8::10",
    "sip:bob@[2001:db8::10",
    "sip:bob@[gg::]",
    "sip:bob@[::1]5060",
    "sip:%zz@h",
    "sip:b%4@h",
    "sip:-x@-h",
  ])("%j is refused with 400", (text) => {
    expect(parseUri(text)).toMatchObject({ kind: "problem", status: 400 });
  });

  it("§19.1.1: names of parameters are compared without case", () => {
    expect(uriParameter(uri("sip:h;Transport=TCP"), "transport")).toBe("TCP");
  });
});

describe("parseHostPort", () => {
  it.each([
    ["h:5060", { host: "h", port: 5060 }],
    ["[::1]:5060", { host: "::1", port: 5060 }],
    ["A.B.", { host: "a.b", port: undefined }],
  ])("%j", (text, parts) => expect(parseHostPort(text)).toEqual(parts));
  it.each(["", ":5060", "h:", "h:x", "[]", "[::1", "h h", "a@b"])("%j is not a host", (text) => {
    expect(parseHostPort(text)).toBeUndefined();
  });
});
