/** The peculiarities of RFC 5118's IPv6 torture messages in our own text, by section. */
import { expect, it } from "vitest";
import { flowOf } from "../../sip-node/src/wire/flow.ts";
import { stampVia } from "../../sip-node/src/wire/build-response.ts";
import type { Request } from "../../sip-node/src/wire/message.ts";
import { parseMessage } from "../../sip-node/src/wire/parse-message.ts";
import { parseUri } from "../../sip-node/src/wire/uri.ts";
import { message, verdict } from "./verdict.ts";

const request = (
  uri: string,
  via = "SIP/2.0/UDP [2001:db8::9]:5060;branch=z9hG4bKas3-111",
  body = "",
): string =>
  message(
    [
      `REGISTER ${uri} SIP/2.0`,
      `Via: ${via}`,
      "Max-Forwards: 70",
      "From: <sip:user@example.com>;tag=81x2",
      "To: <sip:user@example.com>",
      "Call-ID: SSG9559905523997077@hlau_4100",
      "Contact: <sip:caller@[2001:db8::1]>",
      "CSeq: 98176 REGISTER",
      `Content-Length: ${body.length}`,
    ],
    body,
  );
function read(text: string): Request {
  const found = parseMessage(text);
  if (found.kind !== "request") throw new Error(JSON.stringify(found));
  return found;
}

it("4.1 an IPv6 reference in the Request-URI", () => {
  const text = request("sip:[2001:db8::10]");
  expect(parseUri(read(text).uri)).toMatchObject({ host: "2001:db8::10", port: undefined });
  expect(verdict(text)).toBe("accepted");
});

it("4.2 an IPv6 address without brackets is refused with 400", () =>
  expect(verdict(request("sip:2001:db8::10"))).toBe(400));

it("4.3 a port inside the brackets is part of the address, and outside it is the port", () => {
  expect(parseUri("sip:[2001:db8::10:5070]")).toMatchObject({ host: "2001:db8::10:5070", port: undefined });
});

it("4.4 a port after the brackets", () => {
  expect(parseUri(read(request("sip:[2001:db8::10]:5070")).uri)).toMatchObject({
    host: "2001:db8::10",
    port: 5070,
  });
});

it.each(["[2001:db8::9:255]", "2001:db8::9:255"])(
  "4.5 received=%s: with and without brackets",
  (received) => {
    const text = request(
      "sip:[2001:db8::10]",
      `SIP/2.0/UDP [2001:db8::9]:5060;received=${received};branch=z9hG4bKas3-111`,
    );
    expect(read(text).via).toMatchObject({ host: "[2001:db8::9]", port: 5060, received });
    expect(verdict(text)).toBe("accepted");
  },
);

it("4.5 received is written without brackets", () => {
  expect(stampVia(read(request("sip:[2001:db8::10]")), flowOf("2001:db8::9", 7))).toContain(
    ";received=2001:db8::9;rport=7",
  );
});

it("4.6 SDP with IPv6 addresses is unchanged", () => {
  const body = "v=0\r\no=a 1 1 IN IP6 2001:db8::20\r\nc=IN IP6 2001:db8::20\r\nm=audio 6000 RTP/AVP 0\r\n";
  expect(read(request("sip:[2001:db8::10]", undefined, body)).text.endsWith(body)).toBe(true);
});

it("4.7 different IP versions in Vias and Contacts are accepted", () => {
  const text = request(
    "sip:user@example.com",
    "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1, SIP/2.0/UDP [2001:db8::9];branch=z9hG4bK2",
  );
  expect(verdict(text)).toBe("accepted");
});

it("4.8 SDP of both families is unchanged", () => {
  const body =
    "v=0\r\nm=audio 6000 RTP/AVP 0\r\nc=IN IP6 2001:db8::20\r\nm=video 6024 RTP/AVP 107\r\nc=IN IP4 192.0.2.12\r\n";
  expect(verdict(request("sip:user@example.com", undefined, body))).toBe("accepted");
});

it("4.9 an IPv4-mapped address, in SDP and in a Contact", () => {
  expect(parseUri("sip:caller@[::ffff:192.0.2.10]:19823")).toMatchObject({
    host: "::ffff:192.0.2.10",
    port: 19_823,
  });
});

it("4.10 three colons, which a generator of the grammar may write, do not cause an error", () => {
  const text = request("sip:user@[2001:db8:::192.0.2.1]");
  expect(["accepted", 400]).toContain(verdict(text));
});
