/** Request targets (RFC 3261 §16.5). */
import { expect, it } from "vitest";
import type { Binding } from "../location/binding.ts";
import { contactKey } from "../location/contact-key.ts";
import { flowOf } from "../wire/flow.ts";
import { maxBranches } from "../wire/limits.ts";
import { targets } from "./targets.ts";

const binding = (id: number, change: Partial<Binding> = {}): Binding => ({
  id: String(id),
  contact: `sip:bob@192.0.2.${id}`,
  q: 1000,
  callId: "c",
  cseq: 1,
  expiresIn: 60,
  flow: flowOf(`192.0.2.${id}`, 5060),
  isBehindNat: false,
  ownerNode: "aaaaaaaaaaaa",
  userAgent: "",
  instance: undefined,
  regId: 0,
  nonceAt: 0,
  nonceCount: 0,
  registeredAt: 0,
  ...change,
});
const ids = (...bindings: Binding[]) => targets(bindings).map(({ contactId }) => contactId);

it("a target has the contact of its binding, its flow and its owner node", () => {
  const { contact: uri, q, flow, isBehindNat, ownerNode, id: contactId } = binding(1);
  expect(targets([binding(1)])).toEqual([
    { uri, q, flow, isBehindNat, ownerNode, contactId, contactKey: contactKey(uri) },
  ]);
});

it("the targets are sorted by q, the highest first", () => {
  expect(ids(binding(1, { q: 100 }), binding(2, { q: 900 }), binding(3, { q: 500 }))).toEqual([
    "2",
    "3",
    "1",
  ]);
});

it("expired and removed bindings are not targets", () => {
  expect(
    ids(binding(1, { expiresIn: 0 }), binding(2, { expiresIn: -1 }), binding(3, { expiresIn: 1 })),
  ).toEqual(["3"]);
});

it("one contact is one target on one flow and two targets on two flows", () => {
  const same = { contact: "sip:bob@h", flow: flowOf("192.0.2.9", 1) };
  expect(ids(binding(1, same), binding(2, same))).toEqual(["1"]);
  expect(ids(binding(1, same), binding(2, { ...same, flow: flowOf("192.0.2.9", 2) }))).toEqual(["1", "2"]);
});

it("a fork has at most maxBranches targets", () => {
  expect(ids(...Array.from({ length: maxBranches + 5 }, (_, i) => binding(i + 1)))).toHaveLength(maxBranches);
});

it("§26.2.2: a sips contact is not a target, because it requires TLS", () => {
  const contact = (uri: string, id: number) => binding(id, { contact: uri });
  expect(ids(contact("sips:bob@192.0.2.1", 1), contact("SIPS:bob@h", 2), contact("sip:sips@h", 3))).toEqual([
    "3",
  ]);
});

it("P6: a contact that is invalid in a request line is not a target", () => {
  const contacts = ["", "sip:b o@h", "sip:b@h\r\nEvil: 1", "<sip:b@h>", `sip:${"b".repeat(2048)}@h`];
  expect(ids(...contacts.map((contact, i) => binding(i + 1, { contact })))).toEqual([]);
});
