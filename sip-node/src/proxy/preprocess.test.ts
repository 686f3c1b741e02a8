/** Route information preprocessing (RFC 3261 §16.4, §16.12; design-sip rule 17). */
import { describe, expect, it } from "vitest";
import { type Fields, requestOf } from "../../../test/support/sip-message.ts";
import { createSeal } from "../auth/create-seal.ts";
import { applyEdits } from "../wire/edits.ts";
import { flowOf } from "../wire/flow.ts";
import { addressesOf } from "./addresses.ts";
import { type FlowToken, sealToken } from "./flow-token.ts";
import { preprocess } from "./preprocess.ts";

const addresses = addressesOf({ host: "203.0.113.1", port: 5060 }, [{ host: "2001:db8::5", port: 5070 }]);
const keyOf = (seed: string) => ({
  id: seed,
  key: Buffer.alloc(32, seed),
  verifyFrom: 0,
  signFrom: 0,
  dropAfter: Infinity,
});
const seal = createSeal([keyOf("a")], "flow token", () => 1);
const token: FlowToken = {
  caller: {
    flow: flowOf("192.0.2.1", 5060),
    isBehindNat: true,
    ownerNode: "aaaaaaaaaaaa",
    contactId: "1",
    contactKey: "11",
  },
  callee: {
    flow: flowOf("192.0.2.2", 5060),
    isBehindNat: false,
    ownerNode: "bbbbbbbbbbbb",
    contactId: "2",
    contactKey: "22",
  },
};
const toCallee = { sender: token.caller, peer: token.callee };
const toCaller = { sender: token.callee, peer: token.caller };
const user = sealToken(token, "call-1", "alice-1", seal);
const own = `<sip:${user}@203.0.113.1:5060;lr>`;
const byCaller = { From: "<sip:alice@example.com>;tag=alice-1", To: "<sip:bob@example.com>;tag=bob-1" };
const byCallee = { From: "<sip:bob@example.com>;tag=bob-1", To: "<sip:alice@example.com>;tag=alice-1" };

/** `domains` are served; no other host is. */
function preprocessAll(uri: string, fields: Fields, domains: readonly string[] = []) {
  const request = requestOf("BYE", uri, fields);
  const served = new Map<string, boolean>();
  let path = preprocess(request, addresses, seal, served);
  while (path.kind === "needs-domain") {
    served.set(path.host, domains.includes(path.host));
    path = preprocess(request, addresses, seal, served);
  }
  return path.kind === "reject"
    ? path
    : { ...path, text: applyEdits(request.text, path.edits), lookedUp: [...served.keys()] };
}
const routes = (text: string) => text.match(/^Route: .*$/gm);

describe("our Route with a token", () => {
  it("leads from the caller to the callee and from the callee to the caller, by the From tag", () => {
    expect(preprocessAll("sip:bob@10.0.0.2", { Route: own, ...byCaller })).toMatchObject({
      dialog: toCallee,
    });
    expect(preprocessAll("sip:alice@10.0.0.1", { Route: own, ...byCallee })).toMatchObject({
      dialog: toCaller,
    });
  });

  it("is removed, and the rest of the request is unchanged", () => {
    const path = preprocessAll("sip:bob@10.0.0.2", { Route: own, ...byCaller });
    expect(path.kind === "path" && path.text).toBe(requestOf("BYE", "sip:bob@10.0.0.2", byCaller).text);
  });

  it("is ours with any host", () => {
    const route = `<sip:${user}@moved.example.net:9;lr>`;
    expect(preprocessAll("sip:bob@10.0.0.2", { Route: route, ...byCaller })).toMatchObject({
      dialog: toCallee,
    });
  });

  it("is removed together with a second Route of ours, in any form of the fields", () => {
    for (const route of [[own, own], `${own}, <sip:203.0.113.1;lr>`, ["<sip:203.0.113.1;lr>", own]]) {
      const path = preprocessAll("sip:bob@10.0.0.2", { Route: route, ...byCaller });
      expect(path).toMatchObject({ dialog: toCallee });
      expect(path.kind === "path" && routes(path.text)).toBeNull();
    }
  });

  it("determines the peer when it is the first of two with tokens of this dialog", () => {
    const other = sealToken(
      { ...token, callee: { ...token.callee, flow: flowOf("192.0.2.99", 5060) } },
      "call-1",
      "alice-1",
      seal,
    );
    const second = `<sip:${other}@203.0.113.1;lr>`;
    const peerOf = (Route: string) => {
      const path = preprocessAll("sip:bob@10.0.0.2", { Route, ...byCaller });
      return path.kind === "path" ? path.dialog?.peer.flow.address : undefined;
    };
    expect([peerOf(`${own}, ${second}`), peerOf(`${second}, ${own}`)]).toEqual(["192.0.2.2", "192.0.2.99"]);
  });

  it("keeps the foreign Routes after it in order, and the peer of the token is the next hop", () => {
    const path = preprocessAll("sip:bob@10.0.0.2", {
      Route: [`${own}, <sip:p1.example.org;lr>`, "<sip:p2.example.org;lr>;x=1"],
      ...byCaller,
    });
    expect(path.kind === "path" && routes(path.text)).toEqual([
      "Route: <sip:p1.example.org;lr>, <sip:p2.example.org;lr>;x=1",
    ]);
  });

  it.each([
    ["is of another Call-ID", own, { ...byCaller, "Call-ID": "call-2" }],
    ["is of other tags", own, { From: "<sip:m@h>;tag=m", To: "<sip:n@h>;tag=n" }],
    ["is in a request without a To tag", own, { From: byCaller.From }],
    [
      "is sealed with a key that is not ours",
      `<sip:${sealToken(
        token,
        "call-1",
        "alice-1",
        createSeal([keyOf("b")], "flow token", () => 1),
      )}@203.0.113.1;lr>`,
      byCaller,
    ],
    [
      "is sealed for another purpose",
      `<sip:${sealToken(
        token,
        "call-1",
        "alice-1",
        createSeal([keyOf("a")], "branch", () => 1),
      )}@203.0.113.1;lr>`,
      byCaller,
    ],
    ["was changed", own.replace(user, `${user.slice(0, -1)}_`), byCaller],
  ])("leads to no dialog when its token %s", (_, Route, fields) => {
    expect(preprocessAll("sip:bob@10.0.0.2", { Route, ...fields })).toMatchObject({
      kind: "path",
      dialog: undefined,
    });
  });
});

describe("our Route without a token (an outbound proxy setting)", () => {
  it.each([
    "<sip:203.0.113.1;lr>",
    "<sip:203.0.113.1:5060>",
    "sip:203.0.113.1",
    "<sip:[2001:DB8::5]:5070;lr>",
  ])("is removed when it is %s", (Route) => {
    const path = preprocessAll("sip:bob@example.com", { Route });
    expect(path).toMatchObject({ kind: "path", dialog: undefined });
    expect(path.kind === "path" && routes(path.text)).toBeNull();
  });
});

describe("§16.4: a Route with a served domain (an outbound proxy set by name)", () => {
  const domains = ["example.com", "alias.example.net"];

  it.each([
    ["the only Route", "<sip:example.com;lr>"],
    ["in upper case and with a port", "<sip:EXAMPLE.com:5060;lr>"],
    ["without lr and brackets", "sip:example.com"],
    ["an alias of a domain, after our address", "<sip:203.0.113.1;lr>, <sip:alias.example.net;lr>"],
    ["in two fields", ["<sip:example.com;lr>", "<sip:example.com:5070;lr>"]],
    ["followed by an alias of the domain", "<sip:example.com;lr>, <sip:alias.example.net;lr>"],
  ])("is removed when it is %s", (_, Route) => {
    const path = preprocessAll("sip:bob@example.com", { Route }, domains);
    expect(path).toMatchObject({ kind: "path", dialog: undefined });
    expect(path.kind === "path" && routes(path.text)).toBeNull();
  });

  it("is removed together with our token after it, and a foreign Route after the token is kept", () => {
    const Route = ["<sip:example.com;lr>", `${own}, <sip:p1.example.org;lr>`];
    const path = preprocessAll("sip:bob@10.0.0.2", { Route, ...byCaller }, domains);
    expect(path).toMatchObject({ dialog: toCallee, lookedUp: ["example.com"] });
    expect(path.kind === "path" && routes(path.text)).toEqual(["Route: <sip:p1.example.org;lr>"]);
  });

  it("is refused with 403 when a foreign Route is before or after it", () => {
    for (const Route of [
      "<sip:example.com;lr>, <sip:p.example.org;lr>",
      "<sip:p.example.org;lr>, <sip:example.com;lr>",
    ])
      expect(preprocessAll("sip:bob@example.com", { Route }, domains)).toMatchObject({ status: 403 });
    const inDialog = { Route: `<sip:p.example.org;lr>, ${own}`, ...byCaller };
    expect(preprocessAll("sip:bob@10.0.0.2", inDialog, domains)).toMatchObject({ status: 403 });
  });

  it("needs a look-up only of the first host that is not known to be ours", () => {
    const preprocessRoute = (Route: string, served: [string, boolean][] = [], fields: Fields = {}) =>
      preprocess(requestOf("BYE", "sip:bob@h", { Route, ...fields }), addresses, seal, new Map(served));
    const two = "<sip:a.example;lr>, <sip:b.example;lr>";
    expect(preprocessRoute(two)).toEqual({ kind: "needs-domain", host: "a.example", isInDialog: false });
    expect(preprocessRoute(two, [["a.example", true]])).toMatchObject({ host: "b.example" });
    expect(preprocessRoute(two, [["a.example", false]])).toMatchObject({ status: 403 });
    expect(preprocessRoute(`<sip:a.example;lr>, ${own}`, [], byCaller)).toMatchObject({ isInDialog: true });
    expect(preprocessRoute(`${own}, ${two}`, [], byCaller)).toMatchObject({ kind: "path" });
    expect(preprocessRoute("<sip:203.0.113.1;lr>")).toMatchObject({ kind: "path" });
  });
});

it.each([
  ["our Route with a token", own.replace("sip:", "sips:")],
  ["our Route", "<sips:203.0.113.1;lr>"],
  ["a served domain after our Route", "<sip:203.0.113.1;lr>, <sips:example.com;lr>"],
  ["a foreign Route after a token", `${own}, <SIPS:p.example.org;lr>`],
])("§26.2.2: a Route with sips is refused with 416 when it is %s", (_, Route) => {
  expect(preprocessAll("sip:bob@10.0.0.2", { Route, ...byCaller }, ["example.com"])).toMatchObject({
    status: 416,
  });
});

describe("a foreign Route", () => {
  it.each([
    ["the only Route", "<sip:p.example.org;lr>"],
    ["after our Route", "<sip:203.0.113.1;lr>, <sip:p.example.org;lr>"],
    ["on another port of our address", "<sip:203.0.113.1:5099;lr>"],
    ["one with a token of another call", `<sip:${sealToken(token, "x", "y", seal)}@p.example.org;lr>`],
  ])("is refused with 403 when it is %s, so that the node is no open relay", (_, Route) => {
    expect(preprocessAll("sip:bob@example.com", { Route, ...byCaller })).toMatchObject({
      kind: "reject",
      status: 403,
    });
  });

  it("is refused with 400 when it is malformed", () => {
    expect(preprocessAll("sip:bob@example.com", { Route: "<sip:x" })).toMatchObject({
      kind: "reject",
      status: 400,
    });
  });
});

describe("§16.4: after a strict router", () => {
  const uri = `sip:${user}@203.0.113.1:5060;lr`;

  it("the last Route becomes the Request-URI again, and the token leads to the peer", () => {
    const path = preprocessAll(uri, { Route: "<sip:bob@10.0.0.2:5062>", ...byCaller });
    expect(path).toMatchObject({ dialog: toCallee });
    expect(path.kind === "path" && path.text).toBe(requestOf("BYE", "sip:bob@10.0.0.2:5062", byCaller).text);
  });

  it("a sips URI in the last Route is refused with 416", () => {
    expect(preprocessAll(uri, { Route: "<sips:bob@10.0.0.2>", ...byCaller })).toMatchObject({ status: 416 });
  });

  it("the Routes before the last one are kept", () => {
    const path = preprocessAll(uri, { Route: ["<sip:p.example.org;lr>", "<sip:bob@10.0.0.2>"], ...byCaller });
    expect(path.kind === "path" && routes(path.text)).toEqual(["Route: <sip:p.example.org;lr>"]);
  });

  it("a request without a Route is refused with 400, and one with a Route longer than a Request-URI may be with 414", () => {
    expect(preprocessAll(uri, byCaller)).toMatchObject({ status: 400 });
    expect(preprocessAll(uri, { Route: `<sip:${"b".repeat(2048)}@h>`, ...byCaller })).toMatchObject({
      status: 414,
    });
  });
});
