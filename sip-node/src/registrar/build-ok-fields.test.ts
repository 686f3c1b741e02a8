/** The 200 OK to a REGISTER (RFC 3261 §10.3 step 8). */
import { describe, expect, it } from "vitest";
import type { Binding } from "../location/binding.ts";
import { flowOf } from "../wire/flow.ts";
import { parameter } from "../wire/name-addr.ts";
import { buildOkFields } from "./build-ok-fields.ts";

const now = new Date(Date.UTC(2026, 0, 2, 3, 4, 5));
const binding: Binding = {
  id: "1",
  contact: "sip:bob@192.0.2.1:5060;x=y",
  q: 1000,
  callId: "c",
  cseq: 1,
  expiresIn: 117,
  flow: flowOf("192.0.2.1", 5060),
  isBehindNat: false,
  ownerNode: "",
  userAgent: "",
  instance: undefined,
  regId: 0,
  nonceAt: 0,
  nonceCount: 0,
  registeredAt: 0,
};

describe("buildOkFields", () => {
  it("lists each contact with its remaining time, and Date (§20.17)", () => {
    expect(buildOkFields([binding, { ...binding, contact: "sip:b@h", q: 250, expiresIn: 60 }], now)).toBe(
      "Contact: <sip:bob@192.0.2.1:5060;x=y>;expires=117\r\nContact: <sip:b@h>;expires=60;q=0.25\r\n" +
        "Date: Fri, 02 Jan 2026 03:04:05 GMT\r\n",
    );
  });

  it.each([
    [0, ";q=0"],
    [1, ";q=0.001"],
    [100, ";q=0.1"],
    [999, ";q=0.999"],
  ])("q of %i thousandths is written %s", (q, text) => {
    expect(buildOkFields([{ ...binding, q }], now)).toContain(`;expires=117${text}\r\n`);
  });

  it("RFC 5626 §4.1: instance and reg-id are as the phone sent them", () => {
    const lines = buildOkFields([{ ...binding, instance: '<urn:x:"a\\b">', regId: 3 }], now);
    const value = /^Contact: <[^>]*>(.*)\r\n/.exec(lines)?.[1] ?? "";
    expect(parameter(value, "+sip.instance")).toBe('<urn:x:"a\\b">');
    expect(parameter(value, "reg-id")).toBe("3");
  });

  it("a contact of another tool's row that no header field can hold is omitted", () => {
    const lines = buildOkFields(
      [
        { ...binding, contact: "sip:b@h>\r\nEvil: 1" },
        { ...binding, instance: "a\r\nEvil: 1" },
      ],
      now,
    );
    expect(lines).not.toMatch(/^Evil/m);
    expect(lines.match(/^Contact/gm)).toHaveLength(1);
  });
});
