/** Parties of flow tokens as text. Recent results are kept: they must equal new ones. */
import { expect, it } from "vitest";
import { flowOf } from "../wire/flow.ts";
import { packParty, type Party, unpackParty } from "./packed-party.ts";

const party: Party = {
  flow: flowOf("192.0.2.1", 5060),
  isBehindNat: true,
  ownerNode: "0123456789ab",
  contactId: "9223372036854775807",
  contactKey: "1",
};

it.each<[string, Partial<Party>]>([
  ["flow", { flow: flowOf("192.0.2.1", 5061) }],
  ["isBehindNat", { isBehindNat: false }],
  ["ownerNode", { ownerNode: "" }],
  ["contactId", { contactId: "0" }],
  ["contactKey", { contactKey: "9223372036854775806" }],
])(
  "two parties that differ in %s have different texts, and each text is its own party again",
  (_, change) => {
    const other = { ...party, ...change };
    for (let i = 0; i < 2; i++) {
      expect(packParty(other)).not.toBe(packParty(party));
      expect(unpackParty(packParty(other))).toEqual(other);
      expect(unpackParty(packParty(party))).toEqual(party);
    }
  },
);

it.each(["", "A", "AAAA", "gAAA", `${packParty(party)}AAAA`, packParty(party).slice(4)])(
  "%j is no party, also the second time",
  (text) => {
    for (let i = 0; i < 2; i++) expect(unpackParty(text)).toBeUndefined();
  },
);
