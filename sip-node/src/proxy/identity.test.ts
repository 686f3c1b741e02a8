/** Identity header fields at the border of the trust domain (RFC 3325 §5, §7; RFC 3323 §4.2). */
import { describe, expect, it } from "vitest";
import { type Fields, requestOf } from "../../../test/support/sip-message.ts";
import type { Aor } from "../location/account.ts";
import { applyEdits } from "../wire/edits.ts";
import { identityEdits, type Trust } from "./identity.ts";

const asserted = "<sip:boss@example.com>";
const fromPeer = { isFromPeer: true, isToPeer: false };

/** The identity fields of the forwarded request. */
function identitiesOf(fields: Fields, trust: Trust, authenticated?: Aor): string[] {
  const request = requestOf("INVITE", "sip:bob@example.com", fields);
  const text = applyEdits(request.text, identityEdits(request, trust, authenticated));
  return text.match(/^(P-Asserted-Identity|P-Preferred-Identity|Remote-Party-ID): .*(?=\r$)/gim) ?? [];
}

describe("from a peer to a phone", () => {
  it.each(["id", "ID", "header;id", "user", "header", "critical; id", "session, id"])(
    "Privacy: %s removes the identity",
    (Privacy) => {
      const fields = { "P-Asserted-Identity": asserted, "Remote-Party-ID": asserted };
      expect(identitiesOf({ ...fields, Privacy }, fromPeer)).toEqual([]);
    },
  );

  it.each([undefined, "none", "session", "critical", "identity"])(
    "Privacy: %s keeps the identity",
    (Privacy) => {
      expect(identitiesOf({ "P-Asserted-Identity": asserted, Privacy }, fromPeer)).toHaveLength(1);
    },
  );

  it("one of several Privacy fields is enough to remove the identity", () => {
    expect(identitiesOf({ "P-Asserted-Identity": asserted, Privacy: ["session", "id"] }, fromPeer)).toEqual(
      [],
    );
  });

  it.each([
    [";privacy=full", 0],
    [";party=calling; Privacy = name", 0],
    [';privacy="uri"', 0],
    [";privacy=off", 1],
    [";screen=yes", 1],
  ])("a Remote-Party-ID with %s leaves %i identity fields", (parameters, count) => {
    expect(identitiesOf({ "Remote-Party-ID": asserted + parameters }, fromPeer)).toHaveLength(count);
  });

  it("§9.2: a P-Preferred-Identity is removed, because it is for the first proxy only", () => {
    expect(identitiesOf({ "P-Preferred-Identity": asserted }, fromPeer)).toEqual([]);
  });
});

describe("towards a peer", () => {
  const toPeer = { isFromPeer: false, isToPeer: true };

  it("all identity fields of another peer are forwarded, and none is added", () => {
    const fields = { "P-Asserted-Identity": asserted, "P-Preferred-Identity": asserted, Privacy: "id" };
    expect(identitiesOf(fields, { isFromPeer: true, isToPeer: true })).toHaveLength(2);
  });

  it("§25.1: the authenticated caller is asserted with an escaped user part, and any other asserted identity is removed", () => {
    const fields = { "p-asserted-identity": asserted };
    expect(identitiesOf(fields, toPeer, { username: "al.ice+1", domain: "example.com" })).toEqual([
      "P-Asserted-Identity: <sip:al.ice+1@example.com>",
    ]);
    expect(identitiesOf(fields, toPeer, { username: "bj\u00f8rn @>", domain: "example.com" })).toEqual([
      "P-Asserted-Identity: <sip:bj%C3%B8rn%20%40%3E@example.com>",
    ]);
    expect(identitiesOf(fields, toPeer)).toEqual([]);
  });

  it("from a phone to a phone no authenticated identity is added", () => {
    expect(identitiesOf({}, { isFromPeer: false, isToPeer: false }, { username: "a", domain: "h" })).toEqual(
      [],
    );
  });
});
