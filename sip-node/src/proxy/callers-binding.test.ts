/** The binding of the phone that begins a dialog (RFC 3261 §12.1.1). */
import { expect, it } from "vitest";
import type { Binding } from "../location/binding.ts";
import { type Flow, flowOf } from "../wire/flow.ts";
import { callersBinding } from "./callers-binding.ts";

const callerFlow = flowOf("198.51.100.7", 4711);
const sameHost = flowOf("198.51.100.7", 9);
const otherHost = flowOf("192.0.2.9", 4711);
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
const bindingFor = (uri: string, bindings: readonly Binding[], instance?: string) =>
  callersBinding(bindings, { uri, q: undefined, expires: undefined, instance, regId: 0 }, callerFlow)?.id;

it("the binding with the instance of the Contact has precedence, with any reg-id and any flow", () => {
  const rows = [
    binding("1", "sip:a@10.0.0.1", callerFlow),
    binding("2", "sip:a@10.0.0.2", otherHost, { instance: "<i>", regId: 3 }),
  ];
  expect(bindingFor("sip:a@10.0.0.1", rows, "<i>")).toBe("2");
  expect(bindingFor("sip:a@10.0.0.1", rows, "<j>")).toBe("1");
  expect(bindingFor("sip:a@10.0.0.1", rows)).toBe("1");
});

it("RFC 5626 §3.1: the binding on the flow of the request is chosen when one instance has two flows", () => {
  const rows = [
    binding("1", "sip:a@10.0.0.1", sameHost, { instance: "<i>", regId: 1 }),
    binding("2", "sip:a@10.0.0.1", callerFlow, { instance: "<i>", regId: 2 }),
  ];
  expect([bindingFor("sip:a@10.0.0.1", rows, "<i>"), bindingFor("sip:a@10.0.0.1", rows)]).toEqual(["2", "2"]);
});

it("the binding with the same contact and source host comes second, with any source port", () => {
  const rows = [
    binding("1", "sip:a@10.0.0.1", otherHost), // the same private address behind another NAT
    binding("2", "sip:a@10.0.0.1:5060;x=y", sameHost),
    binding("3", "sip:a@10.0.0.3", callerFlow),
  ];
  expect(bindingFor("sip:a@10.0.0.1", rows)).toBe("2");
});

it("the binding on the same flow comes third, and an expired binding is not chosen", () => {
  const rows = [binding("1", "sip:a@10.0.0.9", otherHost), binding("2", "sip:a@10.0.0.2", callerFlow)];
  expect(bindingFor("sip:a@10.0.0.1", rows)).toBe("2");
  expect(
    bindingFor("sip:a@10.0.0.1", [binding("2", "sip:a@10.0.0.1", callerFlow, { expiresIn: 0 })]),
  ).toBeUndefined();
  expect(bindingFor("sip:a@10.0.0.1", [])).toBeUndefined();
});
