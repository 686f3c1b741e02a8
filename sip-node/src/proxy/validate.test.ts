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
import { forward } from "./forward.ts";
import { validate } from "./validate.ts";

const addresses = addressesOf({ host: "203.0.113.1", port: 5060 }, [{ host: "old.example.net", port: 5070 }]);
const seal: Seal = { seal: () => "s".repeat(18), isSealed: () => true };
const phone = flowOf("192.0.2.1", 5060);
const invite = (fields: Fields = {}, body = ""): Request =>
  requestOf("INVITE", "sip:bob@example.com", fields, body);
const verdict = (request: Request) => validate(request, addresses);
const refusal = (status: number, more: object = {}) => ({ kind: "reject", status, ...more });

/** The request as a node of this cluster forwards it and somebody sends it back; `reroute` is what that somebody changes. */
function comeBack(request: Request, node: string, reroute = (text: string): string => text): Request {
  const valid = validate(request, addresses);
  if (valid.kind === "reject") throw new Error(valid.reason);
  const viaBranch = makeViaBranch(node, 1, valid.loop, request.callId, phone, seal);
  const { maxForwards } = valid;
  const text = forward(
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
  it("a plain request is valid, with its Max-Forwards", () => {
    expect(verdict(invite({ "Max-Forwards": "0068" }))).toMatchObject({ kind: "valid", maxForwards: 68 });
    expect(verdict(invite({ "Max-Forwards": undefined }))).toMatchObject({
      kind: "valid",
      maxForwards: undefined,
    });
  });

  it.each(["tel:+4930123", "nobodyKnowsThisScheme:x"])("step 2: %s is refused with 416", (uri) => {
    expect(verdict(requestOf("INVITE", uri))).toMatchObject(
      refusal(416, { reason: "Unsupported URI Scheme" }),
    );
  });

  it.each([
    ["Request-URI", requestOf("INVITE", "sips:bob@example.com")],
    ["Request-URI in capitals", requestOf("BYE", "SIPS:bob@example.com", { To: "<sip:bob@h>;tag=1" })],
    ["Contact", requestOf("INVITE", "sip:bob@example.com", { Contact: '"A" <SIPS:alice@192.0.2.1>' })],
    ["Contact without brackets", requestOf("UPDATE", "sip:bob@example.com", { Contact: "sips:alice@h" })],
  ])("step 2: sips as %s is refused with 416: it needs TLS (§26.2.2)", (_, request) => {
    expect(verdict(request)).toMatchObject(
      refusal(416, { reason: "Unsupported URI Scheme", lines: expect.stringContaining("TLS") as unknown }),
    );
  });

  it("step 2: sips where nothing is routed by it is nobody's business", () => {
    const fields = { From: "<sips:alice@example.com>;tag=1", Contact: '"sips:" <sip:sips:x@h>' };
    expect(verdict(invite(fields))).toMatchObject({ kind: "valid" });
  });

  it("step 2: a SIP URI that is none is refused with 400", () => {
    expect(verdict(requestOf("INVITE", "sip:bob@"))).toMatchObject(refusal(400));
  });

  it("step 3: Max-Forwards 0 is refused with 483, no number with 400", () => {
    expect(verdict(invite({ "Max-Forwards": "0" }))).toMatchObject(refusal(483));
    for (const value of ["-1", "x", "1.5", "70, 70", "99999999999"])
      expect(verdict(invite({ "Max-Forwards": value })), value).toMatchObject(refusal(400));
  });

  it("step 5: Proxy-Require is refused with 420 and what is unsupported", () => {
    expect(verdict(invite({ "Proxy-Require": "foo,\r\n bar" }))).toMatchObject(
      refusal(420, { lines: "Unsupported: foo, bar\r\n" }),
    );
    expect(verdict(invite({ "Proxy-Require": "" }))).toMatchObject({ kind: "valid" });
  });
});

describe("step 4: loops", () => {
  it("a request that comes back unchanged is refused with 482", () => {
    expect(verdict(comeBack(invite(), "aaaaaaaaaaaa"))).toMatchObject(refusal(482));
  });

  it("whatever node sees it: neither node nor key takes part in the hash (design-sip rule 8)", () => {
    const once = comeBack(invite(), "aaaaaaaaaaaa");
    expect(verdict(comeBack(invite(), "bbbbbbbbbbbb"))).toMatchObject(refusal(482));
    expect(verdict(once)).toMatchObject(refusal(482));
  });

  it("below other proxies' Vias as well, and through an address that was ours", () => {
    const behind = comeBack(invite(), "aaaaaaaaaaaa", (text) =>
      text.replace("Via:", "Via: SIP/2.0/UDP other.example.org;branch=z9hG4bKx\r\nVia:"),
    );
    expect(verdict(behind)).toMatchObject(refusal(482));
    const old = comeBack(invite(), "aaaaaaaaaaaa", (text) =>
      text.replace("203.0.113.1:5060", "OLD.example.net:5070"),
    );
    expect(verdict(old)).toMatchObject(refusal(482));
  });

  it("a spiral is none: another Request-URI, another Route, a new CSeq", () => {
    for (const change of [
      (text: string) => text.replace("sip:bob@example.com SIP", "sip:carol@example.com SIP"),
      (text: string) => text.replace("Max-Forwards", "Route: <sip:203.0.113.1;lr>\r\nMax-Forwards"),
      (text: string) => text.replace("CSeq: 1", "CSeq: 2"),
    ])
      expect(verdict(comeBack(invite(), "aaaaaaaaaaaa", change)).kind).toBe("valid");
  });

  it("the same branch in a Via of somebody else proves nothing", () => {
    const foreign = comeBack(invite(), "aaaaaaaaaaaa", (text) =>
      text.replace("203.0.113.1:5060", "198.51.100.1:5060"),
    );
    expect(verdict(foreign).kind).toBe("valid");
  });

  it("§21.5.6: a Via below of another version of SIP is refused with 505", () => {
    expect(
      verdict(invite({ Via: ["SIP/2.0/UDP a;branch=z9hG4bK1", "SIP/3.0/UDP b;branch=z9hG4bK2"] })),
    ).toMatchObject(refusal(505));
  });

  it("a Via below that cannot be read is refused with 400", () => {
    expect(verdict(invite({ Via: ["SIP/2.0/UDP a;branch=z9hG4bK1", "nonsense"] }))).toMatchObject(
      refusal(400),
    );
  });
});

describe("step 1: what would break our own bounds once our fields are on it is refused", () => {
  const readable = (request: Request): boolean => {
    const valid = validate(request, addresses);
    if (valid.kind === "reject") return false;
    const viaBranch = makeViaBranch("aaaaaaaaaaaa", 2 ** 40, valid.loop, request.callId, phone, seal);
    const source = flowOf("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 65_535);
    const text = forward(
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
  const crowd = (count: number) =>
    invite({ "Max-Forwards": undefined, "X-Crowd": new Array<string>(count).fill("y") });
  const via = (length: number) => `SIP/2.0/UDP h;branch=z9hG4bK1;x=${"y".repeat(length - 32)}`;

  it("header fields: 400", () => {
    expect(readable(crowd(maxFields - 9))).toBe(true);
    expect(verdict(crowd(maxFields - 8))).toMatchObject(refusal(400));
  });

  it("the top Via: 400", () => {
    expect(readable(invite({ Via: via(maxFieldBytes - 90) }))).toBe(true);
    expect(verdict(invite({ Via: via(maxFieldBytes - 10) }))).toMatchObject(refusal(400));
  });

  it("bytes: 513", () => {
    expect(readable(invite({}, "x".repeat(maxMessageBytes - 1500)))).toBe(true);
    expect(verdict(invite({}, "x".repeat(maxMessageBytes - 500)))).toMatchObject(refusal(513));
  });
});
