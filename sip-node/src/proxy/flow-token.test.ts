/** Flow tokens (design-sip rule 17). */
import { describe, expect, it } from "vitest";
import { createSeal } from "../auth/create-seal.ts";
import { isToken } from "../wire/characters.ts";
import { flowOf } from "../wire/flow.ts";
import { type FlowToken, openToken, sealToken } from "./flow-token.ts";

const ring = [{ id: "k", key: Buffer.alloc(32, "a"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }];
const seal = createSeal(ring, "flow token", () => 1);
const tokenOf = (caller: string, callee: string): FlowToken => ({
  caller: {
    flow: flowOf(caller, 1),
    isBehindNat: true,
    ownerNode: "0123456789ab",
    contactId: "9223372036854775807",
    contactKey: "9223372036854775806",
  },
  callee: {
    flow: flowOf(callee, 65_535),
    isBehindNat: false,
    ownerNode: "",
    contactId: "0",
    contactKey: "0",
  },
});

describe("sealToken and openToken", () => {
  it.each([
    ["192.0.2.1", "255.255.255.255"],
    ["192.0.2.1", "2001:db8::1"],
    ["2001:db8:1:2:3:4:5:6", "10.0.0.1"],
    ["::", "::1"],
    ["fe80::1", "2001:db8:0:1:1:1:1:1"],
    ["::ffff:192.0.2.1", "1::8"],
    ["2001::1:0:0:1", "ff02::"],
  ])("keep the flow keys of %s and %s", (caller, callee) => {
    const text = sealToken(tokenOf(caller, callee), "call", "tag", seal);
    expect(openToken(text, "call", "tag", seal)).toEqual(tokenOf(caller, callee));
  });

  it("make a token that is valid as user part of a URI and short enough for a Record-Route", () => {
    const text = sealToken(tokenOf("2001:db8::1", "2001:db8::2"), "call", "tag", seal);
    expect(isToken(text)).toBe(true);
    expect(text.length).toBeLessThan(130);
  });

  it("open a token only with its Call-ID, tag and purpose", () => {
    const text = sealToken(tokenOf("192.0.2.1", "192.0.2.2"), "call", "tag", seal);
    expect(openToken(text, "call2", "tag", seal)).toBeUndefined();
    expect(openToken(text, "call", "tag2", seal)).toBeUndefined();
    expect(openToken(text, "call tag", "", seal)).toBeUndefined();
    expect(
      openToken(
        text,
        "call",
        "tag",
        createSeal(ring, "branch", () => 1),
      ),
    ).toBeUndefined();
  });

  it("reject a token with any changed or missing character", () => {
    const text = sealToken(tokenOf("192.0.2.1", "192.0.2.2"), "call", "tag", seal);
    for (let i = 0; i < text.length; i++) {
      const other = text[i] === "A" ? "B" : "A";
      expect(
        openToken(text.slice(0, i) + other + text.slice(i + 1), "call", "tag", seal),
        String(i),
      ).toBeUndefined();
    }
    for (const cut of ["", "x", text.slice(1), text.slice(0, -1), `${text}A`, text.slice(0, 18)])
      expect(openToken(cut, "call", "tag", seal), cut).toBeUndefined();
  });

  it("return undefined for sealed text that is not a token, and do not throw", () => {
    for (const packed of ["", "AA", "A".repeat(54), "AQ".repeat(60)])
      expect(openToken(seal.seal(`${packed} call tag`) + packed, "call", "tag", seal)).toBeUndefined();
  });
});
