/** The branch of our Via (RFC 3261 §8.1.1.7; design-sip rules 3 and 8). */
import { describe, expect, it } from "vitest";
import { createSeal } from "../auth/create-seal.ts";
import { requestOf } from "../../../test/support/sip-message.ts";
import { isToken } from "../wire/characters.ts";
import { flowOf } from "../wire/flow.ts";
import { isOwnViaBranch, loopHash, makeViaBranch, readViaBranch } from "./via-branch.ts";

const ring = [{ id: "k", key: Buffer.alloc(32, "a"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }];
const seal = createSeal(ring, "branch", () => 1);
const caller = flowOf("192.0.2.1", 5060);
const branch = makeViaBranch("0123456789ab", 12_345, "deadbeef", "call", caller, seal);

describe("makeViaBranch", () => {
  it("returns a token with the magic cookie, the node and the loop hash", () => {
    expect(branch.startsWith("z9hG4bK")).toBe(true);
    expect(isToken(branch)).toBe(true);
    expect(readViaBranch(branch)).toEqual({ node: "0123456789ab", loop: "deadbeef" });
  });

  it("returns another branch for each number", () => {
    expect(makeViaBranch("0123456789ab", 1, "deadbeef", "call", caller, seal)).not.toBe(branch);
  });
});

it.each([
  undefined,
  "",
  "z9hG4bK",
  "z9hG4bK-1",
  "z9hG4bKnodelongerthanthat0123456789abcdefghijklmnop",
  branch.slice(7),
  branch.slice(0, 45),
])("readViaBranch returns undefined for %j, which is not a branch of ours", (text) =>
  expect(readViaBranch(text)).toBeUndefined(),
);

describe("isOwnViaBranch (rule 3)", () => {
  it("rejects the branch of an ACK, which has no seal and the format of all others", () => {
    const ofAck = makeViaBranch("0123456789ab", 12_345, "deadbeef", "call", caller, undefined);
    expect(ofAck).toHaveLength(branch.length);
    expect(readViaBranch(ofAck)).toEqual(readViaBranch(branch));
    expect(isOwnViaBranch(ofAck, "call", caller.key, seal)).toBe(false);
  });

  it("accepts the branch only with its call and caller", () => {
    expect(isOwnViaBranch(branch, "call", caller.key, seal)).toBe(true);
    expect(isOwnViaBranch(branch, "other", caller.key, seal)).toBe(false);
    expect(isOwnViaBranch(branch, "call", "udp:192.0.2.1:5061", seal)).toBe(false);
    expect(isOwnViaBranch("z9hG4bK-1", "call", caller.key, seal)).toBe(false);
  });

  it("rejects a branch with any changed character", () => {
    for (let i = 7; i < branch.length; i++) {
      const other = branch[i] === "0" ? "1" : "0";
      expect(
        isOwnViaBranch(branch.slice(0, i) + other + branch.slice(i + 1), "call", caller.key, seal),
        String(i),
      ).toBe(false);
    }
  });
});

describe("loopHash (§16.6 step 8)", () => {
  const of = (uri: string, fields: Record<string, string> = {}, routes = "") =>
    loopHash(requestOf("INVITE", uri, fields), routes);
  const plain = of("sip:bob@h");

  it("is eight hexadecimal digits and the same for the same request", () => {
    expect(plain).toMatch(/^[0-9a-f]{8}$/);
    expect(of("sip:bob@h", { Via: "SIP/2.0/UDP other;branch=z9hG4bK2", "Max-Forwards": "3" })).toBe(plain);
  });

  it.each([
    ["the Request-URI", of("sip:carol@h")],
    ["Route", of("sip:bob@h", {}, "<sip:a;lr>")],
    ["the Call-ID", of("sip:bob@h", { "Call-ID": "c2" })],
    ["the From tag", of("sip:bob@h", { From: "<sip:a@h>;tag=2" })],
    ["CSeq", of("sip:bob@h", { CSeq: "2 INVITE" })],
  ])("changes with %s", (_, hash) => expect(hash).not.toBe(plain));
});
