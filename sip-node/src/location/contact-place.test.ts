/** When a phone is called at its Contact and not on the flow of its request (RFC 3261 §10.3, ADR 32). */
import { describe, expect, it } from "vitest";
import { type Fields, requestOf } from "../../../test/support/sip-message.ts";
import { flowOf } from "../wire/flow.ts";
import { contactPlace, isSentDirectly } from "./contact-place.ts";

const source = flowOf("192.0.2.1", 40_000);
const placeOf = (uri: string, { isDirect = true, regId = 0, from = source } = {}) => {
  const { flow, isBehindNat } = contactPlace({ uri, regId }, from, isDirect);
  return [flow.key, isBehindNat];
};

describe("contactPlace", () => {
  it.each([
    ["another port", "sip:b@192.0.2.1:5070", "udp:192.0.2.1:5070"],
    ["the port that is left out", "sip:b@192.0.2.1", "udp:192.0.2.1:5060"],
    ["UDP by name", "sip:b@192.0.2.1:5070;transport=UDP;line=x", "udp:192.0.2.1:5070"],
  ])("sent directly, a Contact of the source's host with %s is called there", (_, uri, key) => {
    expect(placeOf(uri)).toEqual([key, false]);
  });

  it("IPv6 too", () => {
    const from = flowOf("2001:db8::1", 40_000);
    expect(placeOf("sip:b@[2001:DB8::1]:5070", { from })).toEqual(["udp:[2001:db8::1]:5070", false]);
  });

  it.each([
    ["another host", "sip:b@192.0.2.2:5070"],
    ["a private host", "sip:b@10.0.0.1:5060"],
    ["a name", "sip:b@phone.example:5070"],
    ["another transport", "sip:b@192.0.2.1:5070;transport=tcp"],
    ["another scheme", "sips:b@192.0.2.1:5070"],
    ["maddr", "sip:b@192.0.2.1:5070;maddr=192.0.2.9"],
    ["ob, which asks for the flow (RFC 5626 §5.4)", "sip:b@192.0.2.1:5070;ob"],
  ])("a Contact with %s is called on the flow", (_, uri) => {
    expect(placeOf(uri)).toEqual([source.key, true]);
  });

  it("so is every other port behind a translator, as a phone with STUN behind a symmetric one has, and one with reg-id", () => {
    expect(placeOf("sip:b@192.0.2.1:5070", { isDirect: false })).toEqual([source.key, true]);
    expect(placeOf("sip:b@192.0.2.1:5070", { regId: 1 })).toEqual([source.key, true]);
  });

  it.each([true, false])("the source itself is no translated address, sent directly: %s", (isDirect) => {
    expect(placeOf("sip:b@192.0.2.1:40000", { isDirect })).toEqual([source.key, false]);
  });
});

describe("isSentDirectly", () => {
  const isDirect = (Via: Fields[string], from = source) =>
    isSentDirectly(requestOf("REGISTER", "sip:h", { Via }), from);
  const direct = "SIP/2.0/UDP 192.0.2.1:40000;branch=z9hG4bK1";

  it("a Via that names the source, with or without rport; 5060 where it names no port", () => {
    expect([isDirect(direct), isDirect(`${direct};rport`)]).toEqual([true, true]);
    expect(isDirect("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", flowOf("192.0.2.1", 5060))).toBe(true);
    expect(isDirect("SIP/2.0/UDP [2001:DB8::1]:9;branch=z9hG4bK1", flowOf("2001:db8::1", 9))).toBe(true);
  });

  it.each([
    ["another port", direct.replace("40000", "5060")],
    ["another host", direct.replace("192.0.2.1", "10.0.0.1")],
    ["another transport", direct.replace("UDP", "TCP")],
    ["a hop behind it", [direct, "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK2"]],
    ["a hop behind it in one field", `${direct}, SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK2`],
  ])("%s: not", (_, via) => {
    expect(isDirect(via)).toBe(false);
  });
});
