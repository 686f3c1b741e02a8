/** Which of its bindings the phone has that begins a dialog (RFC 3261 §12.1.1). */
import { expect, it } from "vitest";
import type { Binding } from "../location/binding.ts";
import { type Flow, flowOf } from "../wire/flow.ts";
import { callersBinding } from "./callers-binding.ts";

const here = flowOf("198.51.100.7", 4711);
const samePlace = flowOf("198.51.100.7", 9);
const elsewhere = flowOf("192.0.2.9", 4711);
const binding = (id: string, contact: string, flow: Flow, more: Partial<Binding> = {}): Binding => ({
  id,
  contact,
  q: 1000,
  callId: "c",
  cseq: 1,
  expiresIn: 60,
  flow,
  isBehindNat: true,
  ownerNode: "",
  userAgent: "",
  instance: undefined,
  regId: 0,
  nonceAt: 0,
  nonceCount: 0,
  registeredAt: 0,
  ...more,
});
const ofContact = (uri: string, bindings: readonly Binding[], instance?: string) =>
  callersBinding(bindings, { uri, q: undefined, expires: undefined, instance, regId: 0 }, here)?.id;

it("by the instance first, whatever the reg-id and wherever it registered", () => {
  const rows = [
    binding("1", "sip:a@10.0.0.1", here),
    binding("2", "sip:a@10.0.0.2", elsewhere, { instance: "<i>", regId: 3 }),
  ];
  expect(ofContact("sip:a@10.0.0.1", rows, "<i>")).toBe("2");
  expect(ofContact("sip:a@10.0.0.1", rows, "<j>")).toBe("1");
  expect(ofContact("sip:a@10.0.0.1", rows)).toBe("1");
});

it("of two flows of one instance the one of the request (RFC 5626 §3.1)", () => {
  const rows = [
    binding("1", "sip:a@10.0.0.1", samePlace, { instance: "<i>", regId: 1 }),
    binding("2", "sip:a@10.0.0.1", here, { instance: "<i>", regId: 2 }),
  ];
  expect([ofContact("sip:a@10.0.0.1", rows, "<i>"), ofContact("sip:a@10.0.0.1", rows)]).toEqual(["2", "2"]);
});

it("then by the contact from the same host, with whatever port its translator gave it", () => {
  const rows = [
    binding("1", "sip:a@10.0.0.1", elsewhere), // the same private address at another place
    binding("2", "sip:a@10.0.0.1:5060;x=y", samePlace),
    binding("3", "sip:a@10.0.0.3", here),
  ];
  expect(ofContact("sip:a@10.0.0.1", rows)).toBe("2");
});

it("then by the flow; expired ones are none", () => {
  const rows = [binding("1", "sip:a@10.0.0.9", elsewhere), binding("2", "sip:a@10.0.0.2", here)];
  expect(ofContact("sip:a@10.0.0.1", rows)).toBe("2");
  expect(
    ofContact("sip:a@10.0.0.1", [binding("2", "sip:a@10.0.0.1", here, { expiresIn: 0 })]),
  ).toBeUndefined();
  expect(ofContact("sip:a@10.0.0.1", [])).toBeUndefined();
});
