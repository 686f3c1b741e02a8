/** The flow on which a phone is called: that of its request or the one in its Contact (RFC 3261 §10.3, ADR 32). */
import { describe, expect, it } from "vitest";
import { type Fields, requestOf } from "../../../test/support/sip-message.ts";
import { flowOf } from "../wire/flow.ts";
import { flowOfContact, isSentDirectly } from "./flow-of-contact.ts";

const source = flowOf("192.0.2.1", 40_000);
const resultOf = (uri: string, { isDirect = true, regId = 0, from = source } = {}) => {
  const { flow, isBehindNat } = flowOfContact({ uri, regId }, from, isDirect);
  return [flow.key, isBehindNat];
};

describe("flowOfContact", () => {
  it.each([
    ["another port", "sip:b@192.0.2.1:5070", "udp:192.0.2.1:5070"],
    ["no port", "sip:b@192.0.2.1", "udp:192.0.2.1:5060"],
    ["transport=UDP", "sip:b@192.0.2.1:5070;transport=UDP;line=x", "udp:192.0.2.1:5070"],
  ])(
    "in a direct request, a Contact of the source's host with %s is called at its own address",
    (_, uri, key) => {
      expect(resultOf(uri)).toEqual([key, false]);
    },
  );

  it("an IPv6 Contact too", () => {
    const from = flowOf("2001:db8::1", 40_000);
    expect(resultOf("sip:b@[2001:DB8::1]:5070", { from })).toEqual(["udp:[2001:db8::1]:5070", false]);
  });

  it.each([
    ["another host", "sip:b@192.0.2.2:5070"],
    ["a private host", "sip:b@10.0.0.1:5060"],
    ["a host name", "sip:b@phone.example:5070"],
    ["another transport", "sip:b@192.0.2.1:5070;transport=tcp"],
    ["another scheme", "sips:b@192.0.2.1:5070"],
    ["maddr", "sip:b@192.0.2.1:5070;maddr=192.0.2.9"],
    ["ob, which requests the flow (RFC 5626 §5.4)", "sip:b@192.0.2.1:5070;ob"],
  ])("a Contact with %s is called on the flow", (_, uri) => {
    expect(resultOf(uri)).toEqual([source.key, true]);
  });

  it("so is another port behind an address translator (a phone with STUN behind a symmetric one), and a Contact with reg-id", () => {
    expect(resultOf("sip:b@192.0.2.1:5070", { isDirect: false })).toEqual([source.key, true]);
    expect(resultOf("sip:b@192.0.2.1:5070", { regId: 1 })).toEqual([source.key, true]);
  });

  it.each([true, false])(
    "a Contact that is the source itself is not behind NAT, direct request: %s",
    (isDirect) => {
      expect(resultOf("sip:b@192.0.2.1:40000", { isDirect })).toEqual([source.key, false]);
    },
  );
});

describe("isSentDirectly", () => {
  const isDirect = (Via: Fields[string], from = source) =>
    isSentDirectly(requestOf("REGISTER", "sip:h", { Via }), from);
  const direct = "SIP/2.0/UDP 192.0.2.1:40000;branch=z9hG4bK1";

  it("is true for a Via that names the source, with or without rport; the default port is 5060", () => {
    expect([isDirect(direct), isDirect(`${direct};rport`)]).toEqual([true, true]);
    expect(isDirect("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", flowOf("192.0.2.1", 5060))).toBe(true);
    expect(isDirect("SIP/2.0/UDP [2001:DB8::1]:9;branch=z9hG4bK1", flowOf("2001:db8::1", 9))).toBe(true);
  });

  it.each([
    ["another port", direct.replace("40000", "5060")],
    ["another host", direct.replace("192.0.2.1", "10.0.0.1")],
    ["another transport", direct.replace("UDP", "TCP")],
    ["a second Via", [direct, "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK2"]],
    ["a second Via in the same header field", `${direct}, SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK2`],
  ])("is false for %s", (_, via) => {
    expect(isDirect(via)).toBe(false);
  });
});
