/** What a target refresh keeps (RFC 3261 §12.2.1.2, ADR 31). */
import { expect, it } from "vitest";
import { type Fields, requestOf } from "../../../test/support/sip-message.ts";
import { contactKey } from "../location/contact-key.ts";
import { type Flow, flowOf } from "../wire/flow.ts";
import { refreshedTarget, remoteSide } from "./dialog-target.ts";

const before = flowOf("192.0.2.1", 5060);
const now = flowOf("198.51.100.7", 4711);
const uri = "sip:alice@10.0.0.7:5070";
const inDialog = { From: "<sip:alice@h>;tag=a", To: "<sip:bob@h>;tag=b" };
const refreshed = (method: string, fields: Fields = {}, source: Flow = now, flow: Flow = before) =>
  refreshedTarget(
    requestOf(method, "sip:bob@h", { ...inDialog, Contact: `<${uri}>`, ...fields }),
    source,
    { flow, isBehindNat: true, ownerNode: "", contactId: "0", contactKey: "0" },
    "aaaaaaaaaaaa",
  );

it("the source of the request, with the key of its Contact, for the side that the other one's requests name", () => {
  const back = requestOf("BYE", uri, { From: inDialog.To, To: inDialog.From });
  expect(refreshed("INVITE")).toEqual({
    sideId: remoteSide(back),
    contactKey: contactKey(uri),
    flow: now,
    isBehindNat: true,
    ownerNode: "aaaaaaaaaaaa",
  });
});

it.each([
  ["a request from where the token says", refreshed("INVITE", {}, before)],
  ["one that refreshes no target", refreshed("INFO")],
  ["one without a Contact", refreshed("INVITE", { Contact: undefined })],
])("nothing of %s", (_, target) => {
  expect(target).toBeUndefined();
});

it("a phone that listens on another port: there, where no node has heard it, and nothing while it stays there (ADR 32)", () => {
  const direct = {
    Via: "SIP/2.0/UDP 198.51.100.7:4711;branch=z9hG4bK1",
    Contact: "<sip:alice@198.51.100.7:5070>",
  };
  const listens = flowOf("198.51.100.7", 5070);
  expect(refreshed("INVITE", direct)).toMatchObject({ flow: listens, isBehindNat: false, ownerNode: "" });
  expect(refreshed("INVITE", direct, now, listens)).toBeUndefined();
});
