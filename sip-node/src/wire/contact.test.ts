/** Contacts of a REGISTER (RFC 3261 §10.2, §20.10; RFC 5626 §4.1). */
import { describe, expect, it } from "vitest";
import { requestOf } from "../../../test/support/sip-message.ts";
import { type Contact, parseContacts, parseExpires } from "./contact.ts";
import { maxContactBytes, maxContactsPerRegister } from "./limits.ts";
import { isProblem } from "./problem.ts";

const contacts = (value: string | string[] | undefined) =>
  parseContacts(requestOf("REGISTER", "sip:example.com", { Contact: value }));
const only = (value: string): Contact => {
  const found = contacts(value);
  if (isProblem(found) || found.kind !== "list" || found.contacts[0] === undefined) throw new Error(value);
  return found.contacts[0];
};

describe("parseContacts", () => {
  it("reads several contacts in one field and in several fields, in order", () => {
    const found = contacts(['<sip:a@h>, "x, y" <sip:b@h;z=1,2>;q=0.5', "sip:c@h;q=1"]);
    expect(isProblem(found) || found.kind !== "list" ? found : found.contacts.map(({ uri }) => uri)).toEqual([
      "sip:a@h",
      "sip:b@h;z=1,2",
      "sip:c@h",
    ]); // prettier-ignore
  });

  it("no Contact is a fetch: an empty list", () => {
    expect(contacts(undefined)).toEqual({ kind: "list", contacts: [] });
  });

  it("§10.2.2: a single * is accepted, and * with other contacts is refused", () => {
    expect(contacts(" * ")).toEqual({ kind: "star" });
    expect(contacts(["*", "<sip:a@h>"])).toMatchObject({ status: 400 });
    expect(contacts("*;q=1")).toMatchObject({ status: 400 });
  });

  it("RFC 5626 §4.1: reads instance with its brackets, and reg-id only with an instance", () => {
    const value = '<sip:a@h>;+sip.instance="<urn:uuid:1>";reg-id=2;expires=60;q=0.25';
    expect(only(value)).toEqual({ uri: "sip:a@h", q: 250, expires: 60, instance: "<urn:uuid:1>", regId: 2 });
    expect(only("<sip:a@h>;reg-id=2").regId).toBe(0);
    expect(only('<sip:a@h>;+sip.instance="";reg-id=2')).toMatchObject({ instance: undefined, regId: 0 });
  });

  it.each([
    ["0", 0],
    ["0.", 0],
    ["0.7", 700],
    ["0.123", 123],
    ["1.000", 1000],
  ])("§25.1: q=%s is %i thousandths", (q, expected) => expect(only(`<sip:a@h>;q=${q}`).q).toBe(expected));

  it.each(["1.1", "0.1234", "-0.5", ".5", "x", "2", ""])("q=%j is refused", (q) => {
    expect(contacts(`<sip:a@h>;q=${q}`)).toMatchObject({ status: 400 });
  });

  it.each([
    ["a URI that is too long", `<sip:${"a".repeat(maxContactBytes)}@h>`],
    ["a reg-id that is not a number", '<sip:a@h>;+sip.instance="<x>";reg-id=x'],
    ["a URI with a line break", "<sip:a@h;x=1\r\n 2>"],
    ["a quote in the URI", '<sip:a"@h>'],
    ["too many contacts", new Array<string>(maxContactsPerRegister + 1).fill("<sip:a@h>").join(",")],
  ])("%s is refused with 400", (_, value) => expect(contacts(value)).toMatchObject({ status: 400 }));

  it.each([
    ["<*>", 'URI "*": no scheme'],
    ["<Bob>", 'URI "Bob": no scheme'],
    ["Bob", 'URI "Bob": no scheme'],
    ["bob@host", 'URI "bob@host": no scheme'],
    ["<bob@host:5060>", 'URI scheme "bob@host" is not sip or sips'],
    ["<host:5060>", 'URI scheme "host" is not sip or sips'],
    ["<mailto:bob@host>", 'URI scheme "mailto" is not sip or sips'],
    ["<sip:>", 'URI: "" is not a host'],
    ["<sip:bob@>", 'URI: "" is not a host'],
    ["<sip:@host>", "URI: the user part is empty"],
    ["<sip:bob@host:99999>", 'URI: "host:99999" is not a host'],
    ["<sip:bob@host:0>", 'URI: "host:0" is not a host'],
    ["<sip:bob@ho/st>", 'URI: "ho/st" is not a host'],
    ["<sip:%zz@host>", 'URI: "%" without two hexadecimal digits'],
    ["Bob, Jr <sip:bob@host>", 'URI "Bob": no scheme'],
    ["sip:bob@host,5060", 'URI "5060": no scheme'],
    ["*;expires=0", 'URI "*": no scheme'],
    ["<sip:a@host>, <sip:>", 'URI: "" is not a host'],
  ])("§10.2.1: %s is no address of a phone: 400 with the reason", (value, reason) =>
    expect(contacts(value)).toMatchObject({ status: 400, reason: `Contact: ${reason}` }),
  );
});

it.each([
  ["0", 0],
  ["3600", 3600],
  ["4294967296", 4_294_967_295],
  ["1000000000000000000000000", 4_294_967_295],
  ["", 3600],
  ["-1", 3600],
  ["1h", 3600],
])("§20.19: expires %j counts as %i s", (text, expected) => expect(parseExpires(text)).toBe(expected));
