/** Responses of this node (RFC 3261 §8.2.6, §18.2.1; RFC 3581 §4). */
import { describe, expect, it } from "vitest";
import { type Fields, requestOf, requestText } from "../../../test/support/sip-message.ts";
import { buildResponse } from "./build-response.ts";
import { flowOf } from "./flow.ts";
import { parseMessage } from "./parse-message.ts";

const phone = flowOf("198.51.100.7", 4711);
const respond = (fields: Fields): string =>
  buildResponse(requestOf("INVITE", "sip:bob@example.com", fields), phone, 404, "Reason", "us");

describe("buildResponse", () => {
  it("copies From, Call-ID, CSeq and all Vias in order, adds the To tag, and is readable", () => {
    const text = respond({
      Via: ["SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b;branch=2", "SIP/2.0/UDP c"],
      Subject: "no",
    });
    expect(text).toBe(
      "SIP/2.0 404 Reason\r\nVia: SIP/2.0/UDP a;branch=1;received=198.51.100.7;rport=4711, SIP/2.0/UDP b;branch=2\r\n" +
        "Via: SIP/2.0/UDP c\r\nFrom: <sip:alice@example.com>;tag=alice-1\r\nTo: <sip:bob@example.com>;tag=us\r\n" +
        "Call-ID: call-1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
    );
    expect(parseMessage(text).kind).toBe("response");
  });

  it.each([
    ["<sip:bob@h>", "<sip:bob@h>;tag=us"],
    ["sip:bob@h", "sip:bob@h;tag=us"],
    ["<sip:bob@h;tag=5>", "<sip:bob@h;tag=5>;tag=us"],
    ['"x> ;tag=1" <sip:bob@h>', '"x> ;tag=1" <sip:bob@h>;tag=us'],
    ['<sip:bob@h>;x="a;tag=1"', '<sip:bob@h>;x="a;tag=1";tag=us'],
    ["<sip:bob@h>; TAG = theirs", "<sip:bob@h>; TAG = theirs"],
    ["<sip:bob@h>\r\n ;x=1", "<sip:bob@h> ;x=1;tag=us"],
  ])("§8.2.6.2: To %j is answered as %j", (to, answered) => {
    expect(respond({ To: to })).toContain(`\r\nTo: ${answered}\r\n`);
  });

  it("§8.2.6.1: 100 gets no tag and repeats Timestamp; others do not", () => {
    const request = requestOf("INVITE", "sip:bob@example.com", { Timestamp: "54" });
    const trying = buildResponse(request, phone, 100, "Trying", undefined);
    expect(trying).toContain("\r\nTo: <sip:bob@example.com>\r\n");
    expect(trying).toContain("\r\nTimestamp: 54\r\n");
    expect(respond({ Timestamp: "54" })).not.toContain("Timestamp");
  });

  it.each([
    ["SIP/2.0/UDP h;branch=b;rport", "SIP/2.0/UDP h;branch=b;received=198.51.100.7;rport=4711"],
    ["SIP/2.0/UDP h;rport;branch=b", "SIP/2.0/UDP h;branch=b;received=198.51.100.7;rport=4711"],
    ["SIP/2.0/UDP h;branch=b", "SIP/2.0/UDP h;branch=b;received=198.51.100.7;rport=4711"],
    [
      "SIP/2.0/UDP h;received=6.6.6.6;rport=66;branch=b",
      "SIP/2.0/UDP h;branch=b;received=198.51.100.7;rport=4711",
    ],
    [
      "SIP/2.0/UDP h;rportal=x;rport;branch=b",
      "SIP/2.0/UDP h;rportal=x;branch=b;received=198.51.100.7;rport=4711",
    ],
  ])("RFC 3581 §4: top Via %j comes back with the address that was seen", (via, stamped) => {
    expect(respond({ Via: via })).toContain(`\r\nVia: ${stamped}\r\n`);
  });

  it("a request that is malformed elsewhere is answered too (§8.2)", () => {
    const broken = parseMessage(requestText("INVITE", "sip:b@h", { CSeq: "x INVITE", To: "<sip:b" }));
    if (broken.kind !== "malformed" || broken.via === undefined) throw new Error("readable");
    const text = buildResponse({ ...broken, via: broken.via }, phone, 400, "CSeq", "us");
    expect(text).toContain("SIP/2.0 400 CSeq\r\n");
    expect(text).toContain("\r\nTo: <sip:b\r\n");
    expect(text).toContain("\r\nCSeq: x INVITE\r\n");
  });

  it("a reason that quotes a folded value stays one line", () => {
    const text = buildResponse(requestOf("INVITE", "sip:b@h"), phone, 400, 'port "1\r\n Evil: 2"', "us");
    expect(text.split("\r\n")[0]).toBe('SIP/2.0 400 port "1  Evil: 2"');
  });

  it("RFC 5118 §4.5: received carries an IPv6 address without brackets", () => {
    const text = buildResponse(requestOf("INVITE", "sip:b@h"), flowOf("2001:db8::9", 5060), 404, "x", "us");
    expect(text).toContain(";received=2001:db8::9;rport=5060\r\n");
  });
});
