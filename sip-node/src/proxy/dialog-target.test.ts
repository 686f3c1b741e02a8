/** The stored result of a target refresh (RFC 3261 §12.2.1.2, ADR 31). */
import { expect, it } from "vitest";
import { type Fields, requestOf } from "../../../test/support/sip-message.ts";
import { contactKey } from "../location/contact-key.ts";
import { type Flow, flowOf } from "../wire/flow.ts";
import { refreshedTarget, remoteSide } from "./dialog-target.ts";

const tokenFlow = flowOf("192.0.2.1", 5060);
const newFlow = flowOf("198.51.100.7", 4711);
const uri = "sip:alice@10.0.0.7:5070";
const inDialog = { From: "<sip:alice@h>;tag=a", To: "<sip:bob@h>;tag=b" };
const refreshed = (method: string, fields: Fields = {}, source: Flow = newFlow, flow: Flow = tokenFlow) =>
  refreshedTarget(
    requestOf(method, "sip:bob@h", { ...inDialog, Contact: `<${uri}>`, ...fields }),
    source,
    { flow, isBehindNat: true, ownerNode: "", contactId: "0", contactKey: "0" },
    "aaaaaaaaaaaa",
  );

it("a target refresh stores the source of the request and the key of its Contact, for the remote side of the peer's requests", () => {
  const back = requestOf("BYE", uri, { From: inDialog.To, To: inDialog.From });
  expect(refreshed("INVITE")).toEqual({
    sideId: remoteSide(back),
    contactKey: contactKey(uri),
    flow: newFlow,
    isBehindNat: true,
    ownerNode: "aaaaaaaaaaaa",
  });
});

it.each([
  ["a request from the flow in the token", refreshed("INVITE", {}, tokenFlow)],
  ["a method that refreshes no target", refreshed("INFO")],
  ["a request without a Contact", refreshed("INVITE", { Contact: undefined })],
])("nothing is stored for %s", (_, target) => {
  expect(target).toBeUndefined();
});

it("ADR 32: the listening port of a phone is stored without an owner node, and is not stored again while it is unchanged", () => {
  const direct = {
    Via: "SIP/2.0/UDP 198.51.100.7:4711;branch=z9hG4bK1",
    Contact: "<sip:alice@198.51.100.7:5070>",
  };
  const listeningFlow = flowOf("198.51.100.7", 5070);
  expect(refreshed("INVITE", direct)).toMatchObject({
    flow: listeningFlow,
    isBehindNat: false,
    ownerNode: "",
  });
  expect(refreshed("INVITE", direct, newFlow, listeningFlow)).toBeUndefined();
});
