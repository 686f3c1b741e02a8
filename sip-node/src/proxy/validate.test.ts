/** Request validation (RFC 3261 §16.3, RFC 5393 §4.2). */
import { describe, expect, it } from "vitest";
import { type Fields, requestOf } from "../../../test/support/sip-message.ts";
import { applyEdits } from "../wire/edits.ts";
import { flowOf } from "../wire/flow.ts";
import { maxFieldBytes, maxFields, maxMessageBytes } from "../wire/limits.ts";
import type { Request } from "../wire/message.ts";
import { parseMessage } from "../wire/parse-message.ts";
import type { Seal } from "../wire/seal.ts";
import { addressesOf } from "./addresses.ts";
import { makeViaBranch } from "./via-branch.ts";
import { requestCopy } from "./request-copy.ts";
import { validate } from "./validate.ts";

const addresses = addressesOf({ host: "203.0.113.1", port: 5060 }, [{ host: "old.example.net", port: 5070 }]);
const seal: Seal = { seal: () => "s".repeat(18), isSealed: () => true };
const phone = flowOf("192.0.2.1", 5060);
const invite = (fields: Fields = {}, body = ""): Request =>
  requestOf("INVITE", "sip:bob@example.com", fields, body);
const verdict = (request: Request) => validate(request, addresses);
const rejection = (status: number, more: object = {}) => ({ kind: "reject", status, ...more });

/** The request after a node of this cluster forwarded it and another element sent it back; `reroute` makes the changes of that element. */
function sendBack(request: Request, node: string, reroute = (text: string): string => text): Request {
  const valid = validate(request, addresses);
  if (valid.kind === "reject") throw new Error(valid.reason);
  const viaBranch = makeViaBranch(node, 1, valid.loop, request.callId, phone, seal);
  const { maxForwards } = valid;
  const text = requestCopy(
    {
      request,
      source: phone,
      edits: [],
      maxForwards,
      target: { uri: undefined, flow: phone },
      viaBranch,
      recordRoute: undefined,
    },
    addresses,
  );
  const back = parseMessage(reroute(text));
  if (back.kind !== "request") throw new Error(text);
  return back;
}

describe("validate", () => {
  it("accepts a plain request and returns its Max-Forwards", () => {
    expect(verdict(invite({ "Max-Forwards": "0068" }))).toMatchObject({ kind: "valid", maxForwards: 68 });
    expect(verdict(invite({ "Max-Forwards": undefined }))).toMatchObject({
      kind: "valid",
      maxForwards: undefined,
    });
  });

  it.each(["tel:+4930123", "nobodyKnowsThisScheme:x"])("§16.3 step 2: refuses %s with 416", (uri) => {
    expect(verdict(requestOf("INVITE", uri))).toMatchObject(
      rejection(416, { reason: "Unsupported URI Scheme" }),
    );
  });

  it.each([
    ["Request-URI", requestOf("INVITE", "sips:bob@example.com")],
    ["Request-URI in capitals", requestOf("BYE", "SIPS:bob@example.com", { To: "<sip:bob@h>;tag=1" })],
    ["Contact", requestOf("INVITE", "sip:bob@example.com", { Contact: '"A" <SIPS:alice@192.0.2.1>' })],
    ["Contact without brackets", requestOf("UPDATE", "sip:bob@example.com", { Contact: "sips:alice@h" })],
  ])("§16.3 step 2: refuses sips as %s with 416, because it needs TLS (§26.2.2)", (_, request) => {
    expect(verdict(request)).toMatchObject(
      rejection(416, { reason: "Unsupported URI Scheme", lines: expect.stringContaining("TLS") as unknown }),
    );
  });

  it("§16.3 step 2: accepts sips in fields that do not affect routing", () => {
    const fields = { From: "<sips:alice@example.com>;tag=1", Contact: '"sips:" <sip:sips:x@h>' };
    expect(verdict(invite(fields))).toMatchObject({ kind: "valid" });
  });

  it("§16.3 step 2: refuses a malformed SIP URI with 400", () => {
    expect(verdict(requestOf("INVITE", "sip:bob@"))).toMatchObject(rejection(400));
  });

  it("§16.3 step 3: refuses Max-Forwards 0 with 483 and an invalid Max-Forwards with 400", () => {
    expect(verdict(invite({ "Max-Forwards": "0" }))).toMatchObject(rejection(483));
    for (const value of ["-1", "x", "1.5", "70, 70", "99999999999"])
      expect(verdict(invite({ "Max-Forwards": value })), value).toMatchObject(rejection(400));
  });

  it("§16.3 step 5: refuses Proxy-Require with 420 and an Unsupported field", () => {
    expect(verdict(invite({ "Proxy-Require": "foo,\r\n bar" }))).toMatchObject(
      rejection(420, { lines: "Unsupported: foo, bar\r\n" }),
    );
    expect(verdict(invite({ "Proxy-Require": "" }))).toMatchObject({ kind: "valid" });
  });
});

describe("§16.3 step 4: loop detection", () => {
  it("refuses a request that returns unchanged with 482", () => {
    expect(verdict(sendBack(invite(), "aaaaaaaaaaaa"))).toMatchObject(rejection(482));
  });

  it("works on every node, because the hash depends on neither node nor key (design-sip rule 8)", () => {
    const returned = sendBack(invite(), "aaaaaaaaaaaa");
    expect(verdict(sendBack(invite(), "bbbbbbbbbbbb"))).toMatchObject(rejection(482));
    expect(verdict(returned)).toMatchObject(rejection(482));
  });

  it("finds our Via below the Vias of other proxies, and with a former address of ours", () => {
    const belowOther = sendBack(invite(), "aaaaaaaaaaaa", (text) =>
      text.replace("Via:", "Via: SIP/2.0/UDP other.example.org;branch=z9hG4bKx\r\nVia:"),
    );
    expect(verdict(belowOther)).toMatchObject(rejection(482));
    const formerAddress = sendBack(invite(), "aaaaaaaaaaaa", (text) =>
      text.replace("203.0.113.1:5060", "OLD.example.net:5070"),
    );
    expect(verdict(formerAddress)).toMatchObject(rejection(482));
  });

  it("accepts a spiral: another Request-URI, another Route or a new CSeq", () => {
    for (const change of [
      (text: string) => text.replace("sip:bob@example.com SIP", "sip:carol@example.com SIP"),
      (text: string) => text.replace("Max-Forwards", "Route: <sip:203.0.113.1;lr>\r\nMax-Forwards"),
      (text: string) => text.replace("CSeq: 1", "CSeq: 2"),
    ])
      expect(verdict(sendBack(invite(), "aaaaaaaaaaaa", change)).kind).toBe("valid");
  });

  it("ignores the same branch in a Via of another host", () => {
    const foreign = sendBack(invite(), "aaaaaaaaaaaa", (text) =>
      text.replace("203.0.113.1:5060", "198.51.100.1:5060"),
    );
    expect(verdict(foreign).kind).toBe("valid");
  });

  it("§21.5.6: refuses a lower Via with another version of SIP with 505", () => {
    expect(
      verdict(invite({ Via: ["SIP/2.0/UDP a;branch=z9hG4bK1", "SIP/3.0/UDP b;branch=z9hG4bK2"] })),
    ).toMatchObject(rejection(505));
  });

  it("refuses a malformed lower Via with 400", () => {
    expect(verdict(invite({ Via: ["SIP/2.0/UDP a;branch=z9hG4bK1", "nonsense"] }))).toMatchObject(
      rejection(400),
    );
  });
});

describe("§16.3 step 1: a request that would exceed our limits after our fields are added", () => {
  const isForwardable = (request: Request): boolean => {
    const valid = validate(request, addresses);
    if (valid.kind === "reject") return false;
    const viaBranch = makeViaBranch("aaaaaaaaaaaa", 2 ** 40, valid.loop, request.callId, phone, seal);
    const source = flowOf("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 65_535);
    const text = requestCopy(
      {
        request,
        source,
        edits: [],
        maxForwards: undefined,
        target: { uri: "sip:x@y", flow: phone },
        viaBranch,
        recordRoute: "r".repeat(120),
      },
      addresses,
    );
    expect(parseMessage(applyEdits(text, [])).kind).toBe("request");
    return true;
  };
  const withFields = (count: number) =>
    invite({ "Max-Forwards": undefined, "X-Crowd": new Array<string>(count).fill("y") });
  const via = (length: number) => `SIP/2.0/UDP h;branch=z9hG4bK1;x=${"y".repeat(length - 32)}`;

  it("is refused with 400 when it has too many header fields", () => {
    expect(isForwardable(withFields(maxFields - 9))).toBe(true);
    expect(verdict(withFields(maxFields - 8))).toMatchObject(rejection(400));
  });

  it("is refused with 400 when its top Via is too long", () => {
    expect(isForwardable(invite({ Via: via(maxFieldBytes - 90) }))).toBe(true);
    expect(verdict(invite({ Via: via(maxFieldBytes - 10) }))).toMatchObject(rejection(400));
  });

  it("is refused with 513 when it has too many bytes", () => {
    expect(isForwardable(invite({}, "x".repeat(maxMessageBytes - 1500)))).toBe(true);
    expect(verdict(invite({}, "x".repeat(maxMessageBytes - 500)))).toMatchObject(rejection(513));
  });
});
