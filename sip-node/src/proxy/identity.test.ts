/** Who is believed when it says who calls (RFC 3325 §5, §7; RFC 3323 §4.2). */
import { describe, expect, it } from "vitest";
import { type Fields, requestOf } from "../../../test/support/sip-message.ts";
import type { Aor } from "../location/account.ts";
import { applyEdits } from "../wire/edits.ts";
import { identityEdits, type Trust } from "./identity.ts";

const asserted = "<sip:boss@example.com>";
const fromPeer = { isFromPeer: true, isToPeer: false };

/** The names of the identity fields that are left. */
function left(fields: Fields, trust: Trust, proven?: Aor): string[] {
  const request = requestOf("INVITE", "sip:bob@example.com", fields);
  const text = applyEdits(request.text, identityEdits(request, trust, proven));
  return text.match(/^(P-Asserted-Identity|P-Preferred-Identity|Remote-Party-ID): .*(?=\r$)/gim) ?? [];
}

describe("from a peer to a phone", () => {
  it.each(["id", "ID", "header;id", "user", "header", "critical; id", "session, id"])(
    "Privacy: %s keeps the identity back",
    (Privacy) => {
      const fields = { "P-Asserted-Identity": asserted, "Remote-Party-ID": asserted };
      expect(left({ ...fields, Privacy }, fromPeer)).toEqual([]);
    },
  );

  it.each([undefined, "none", "session", "critical", "identity"])("Privacy: %s does not", (Privacy) => {
    expect(left({ "P-Asserted-Identity": asserted, Privacy }, fromPeer)).toHaveLength(1);
  });

  it("of several Privacy fields one is enough", () => {
    expect(left({ "P-Asserted-Identity": asserted, Privacy: ["session", "id"] }, fromPeer)).toEqual([]);
  });

  it.each([
    [";privacy=full", 0],
    [";party=calling; Privacy = name", 0],
    [';privacy="uri"', 0],
    [";privacy=off", 1],
    [";screen=yes", 1],
  ])("a Remote-Party-ID with %s: %i left", (parameters, count) => {
    expect(left({ "Remote-Party-ID": asserted + parameters }, fromPeer)).toHaveLength(count);
  });

  it("a preferred identity is for the first proxy alone (§9.2)", () => {
    expect(left({ "P-Preferred-Identity": asserted }, fromPeer)).toEqual([]);
  });
});

describe("towards a peer", () => {
  const toPeer = { isFromPeer: false, isToPeer: true };

  it("from another peer all passes, and nobody is asserted", () => {
    const fields = { "P-Asserted-Identity": asserted, "P-Preferred-Identity": asserted, Privacy: "id" };
    expect(left(fields, { isFromPeer: true, isToPeer: true })).toHaveLength(2);
  });

  it("the proven caller is asserted, its user part escaped (§25.1)", () => {
    const fields = { "p-asserted-identity": asserted };
    expect(left(fields, toPeer, { username: "al.ice+1", domain: "example.com" })).toEqual([
      "P-Asserted-Identity: <sip:al.ice+1@example.com>",
    ]);
    expect(left(fields, toPeer, { username: "bj\u00f8rn @>", domain: "example.com" })).toEqual([
      "P-Asserted-Identity: <sip:bj%C3%B8rn%20%40%3E@example.com>",
    ]);
    expect(left(fields, toPeer)).toEqual([]);
  });

  it("a phone is never told who was proven", () => {
    expect(left({}, { isFromPeer: false, isToPeer: false }, { username: "a", domain: "h" })).toEqual([]);
  });
});
