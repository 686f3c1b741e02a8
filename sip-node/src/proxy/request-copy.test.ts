/** Requests that get a Record-Route (RFC 3261 §16.6 step 4). `test/golden/forward` has golden files of the forwarded copies. */
import { expect, it } from "vitest";
import { requestOf } from "../../../test/support/sip-message.ts";
import { buildCancel } from "./build-cancel.ts";
import { mayCreateDialog } from "./request-copy.ts";

const uri = "sip:bob@example.com";

it.each(["INVITE", "SUBSCRIBE", "REFER", "NOTIFY", "NOSUCH"])("%s may create a dialog", (method) => {
  expect(mayCreateDialog(requestOf(method, uri))).toBe(true);
});

it.each(["MESSAGE", "OPTIONS", "PUBLISH", "BYE", "ACK", "INFO"])("%s creates no dialog", (method) => {
  expect(mayCreateDialog(requestOf(method, uri))).toBe(false);
});

it("a request within a dialog creates no dialog", () => {
  expect(mayCreateDialog(requestOf("INVITE", uri, { To: `<${uri}>;tag=b` }))).toBe(false);
});

it("§9.1: a CANCEL has the INVITE's Request-URI, From, To, Call-ID, Route and CSeq number, and only its top Via", () => {
  const invite = requestOf("INVITE", "sip:bob@192.0.2.2", {
    Via: ["SIP/2.0/UDP 203.0.113.1:5060;branch=z9hG4bKours;rport", "SIP/2.0/UDP a;branch=z9hG4bKa"],
    Route: ["<sip:p1;lr>", "<sip:p2;lr>"],
    CSeq: "17 INVITE",
    Subject: "not copied",
  });
  expect(buildCancel(invite)).toBe(
    "CANCEL sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.1:5060;branch=z9hG4bKours;rport\r\n" +
      "From: <sip:alice@example.com>;tag=alice-1\r\nTo: <sip:bob@example.com>\r\nCall-ID: call-1\r\n" +
      "Route: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\nCSeq: 17 CANCEL\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
  );
});

it("a CANCEL has the additional header lines of its caller and no Reason of the INVITE", () => {
  const text = buildCancel(
    requestOf("INVITE", "sip:bob@192.0.2.2", { Reason: "not copied" }),
    "Reason: SIP;cause=200\r\n",
  );
  expect(text.match(/^Reason: .*$/gm)).toEqual(["Reason: SIP;cause=200"]);
  expect(text.endsWith("Reason: SIP;cause=200\r\nContent-Length: 0\r\n\r\n")).toBe(true);
});
