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
const forth = { sender: token.caller, peer: token.callee };
const back = { sender: token.callee, peer: token.caller };
const user = sealToken(token, "call-1", "alice-1", seal);
const own = `<sip:${user}@203.0.113.1:5060;lr>`;
const byCaller = { From: "<sip:alice@example.com>;tag=alice-1", To: "<sip:bob@example.com>;tag=bob-1" };
const byCallee = { From: "<sip:bob@example.com>;tag=bob-1", To: "<sip:alice@example.com>;tag=alice-1" };

/** `domains` are served; every other host is none of ours. */
function read(uri: string, fields: Fields, domains: readonly string[] = []) {
  const request = requestOf("BYE", uri, fields);
  const served = new Map<string, boolean>();
  let path = preprocess(request, addresses, seal, served);
  while (path.kind === "needs-domain") {
    served.set(path.host, domains.includes(path.host));
    path = preprocess(request, addresses, seal, served);
  }
  return path.kind === "reject"
    ? path
    : { ...path, text: applyEdits(request.text, path.edits), asked: [...served.keys()] };
}
const routes = (text: string) => text.match(/^Route: .*$/gm);

describe("our Route with a token", () => {
  it("From's tag tells the direction: the caller's request goes to the callee, and the other way round", () => {
    expect(read("sip:bob@10.0.0.2", { Route: own, ...byCaller })).toMatchObject({ dialog: forth });
    expect(read("sip:alice@10.0.0.1", { Route: own, ...byCallee })).toMatchObject({ dialog: back });
  });

  it("goes, and the rest of the request stays as it was", () => {
    const path = read("sip:bob@10.0.0.2", { Route: own, ...byCaller });
    expect(path.kind === "path" && path.text).toBe(requestOf("BYE", "sip:bob@10.0.0.2", byCaller).text);
  });

  it("is ours whatever its host", () => {
    const route = `<sip:${user}@moved.example.net:9;lr>`;
    expect(read("sip:bob@10.0.0.2", { Route: route, ...byCaller })).toMatchObject({ dialog: forth });
  });

  it("a second one of ours goes with it, whatever the form of the fields", () => {
    for (const route of [[own, own], `${own}, <sip:203.0.113.1;lr>`, ["<sip:203.0.113.1;lr>", own]]) {
      const path = read("sip:bob@10.0.0.2", { Route: route, ...byCaller });
      expect(path).toMatchObject({ dialog: forth });
      expect(path.kind === "path" && routes(path.text)).toBeNull();
    }
  });

  it("of two of this dialog the first leads on", () => {
    const other = sealToken(
      { ...token, callee: { ...token.callee, flow: flowOf("192.0.2.99", 5060) } },
      "call-1",
      "alice-1",
      seal,
    );
    const second = `<sip:${other}@203.0.113.1;lr>`;
    const peerOf = (Route: string) => {
      const path = read("sip:bob@10.0.0.2", { Route, ...byCaller });
      return path.kind === "path" ? path.dialog?.peer.flow.address : undefined;
    };
    expect([peerOf(`${own}, ${second}`), peerOf(`${second}, ${own}`)]).toEqual(["192.0.2.2", "192.0.2.99"]);
  });

  it("foreign Routes behind it stay, in order: the peer of the token is the next hop", () => {
    const path = read("sip:bob@10.0.0.2", {
      Route: [`${own}, <sip:p1.example.org;lr>`, "<sip:p2.example.org;lr>;x=1"],
      ...byCaller,
    });
    expect(path.kind === "path" && routes(path.text)).toEqual([
      "Route: <sip:p1.example.org;lr>, <sip:p2.example.org;lr>;x=1",
    ]);
  });

  it.each([
    ["of another Call-ID", own, { ...byCaller, "Call-ID": "call-2" }],
    ["of other tags", own, { From: "<sip:m@h>;tag=m", To: "<sip:n@h>;tag=n" }],
    ["without a To tag: the dialog it was made for is not there", own, { From: byCaller.From }],
    [
      "of a key that is not ours",
      `<sip:${sealToken(
        token,
        "call-1",
        "alice-1",
        createSeal([keyOf("b")], "flow token", () => 1),
      )}@203.0.113.1;lr>`,
      byCaller,
    ],
    [
      "of another purpose",
      `<sip:${sealToken(
        token,
        "call-1",
        "alice-1",
        createSeal([keyOf("a")], "branch", () => 1),
      )}@203.0.113.1;lr>`,
      byCaller,
    ],
    ["that was changed", own.replace(user, `${user.slice(0, -1)}_`), byCaller],
  ])("a token %s leads nowhere: the request is out of dialog", (_, Route, fields) => {
    expect(read("sip:bob@10.0.0.2", { Route, ...fields })).toMatchObject({ kind: "path", dialog: undefined });
  });
});

describe("our Route without a token (an outbound proxy setting)", () => {
  it.each([
    "<sip:203.0.113.1;lr>",
    "<sip:203.0.113.1:5060>",
    "sip:203.0.113.1",
    "<sip:[2001:DB8::5]:5070;lr>",
  ])("%s goes", (Route) => {
    const path = read("sip:bob@example.com", { Route });
    expect(path).toMatchObject({ kind: "path", dialog: undefined });
    expect(path.kind === "path" && routes(path.text)).toBeNull();
  });
});

describe("§16.4: a Route with a served domain (an outbound proxy set by name)", () => {
  const domains = ["example.com", "alias.example.net"];

  it.each([
    ["alone", "<sip:example.com;lr>"],
    ["in any case, with a port", "<sip:EXAMPLE.com:5060;lr>"],
    ["without lr and brackets", "sip:example.com"],
    ["an alias, behind our address", "<sip:203.0.113.1;lr>, <sip:alias.example.net;lr>"],
    ["twice, in two fields", ["<sip:example.com;lr>", "<sip:example.com:5070;lr>"]],
    ["and an alias of it", "<sip:example.com;lr>, <sip:alias.example.net;lr>"],
  ])("%s goes", (_, Route) => {
    const path = read("sip:bob@example.com", { Route }, domains);
    expect(path).toMatchObject({ kind: "path", dialog: undefined });
    expect(path.kind === "path" && routes(path.text)).toBeNull();
  });

  it("before our token goes with it, and a foreign one behind the token stays", () => {
    const Route = ["<sip:example.com;lr>", `${own}, <sip:p1.example.org;lr>`];
    const path = read("sip:bob@10.0.0.2", { Route, ...byCaller }, domains);
    expect(path).toMatchObject({ dialog: forth, asked: ["example.com"] });
    expect(path.kind === "path" && routes(path.text)).toEqual(["Route: <sip:p1.example.org;lr>"]);
  });

  it("a foreign Route before or behind it is refused", () => {
    for (const Route of [
      "<sip:example.com;lr>, <sip:p.example.org;lr>",
      "<sip:p.example.org;lr>, <sip:example.com;lr>",
    ])
      expect(read("sip:bob@example.com", { Route }, domains)).toMatchObject({ status: 403 });
    const inDialog = { Route: `<sip:p.example.org;lr>, ${own}`, ...byCaller };
    expect(read("sip:bob@10.0.0.2", inDialog, domains)).toMatchObject({ status: 403 });
  });

  it("asks about nothing but the first host that is not known to be ours, each once", () => {
    const ask = (Route: string, served: [string, boolean][] = [], fields: Fields = {}) =>
      preprocess(requestOf("BYE", "sip:bob@h", { Route, ...fields }), addresses, seal, new Map(served));
    const two = "<sip:a.example;lr>, <sip:b.example;lr>";
    expect(ask(two)).toEqual({ kind: "needs-domain", host: "a.example", isInDialog: false });
    expect(ask(two, [["a.example", true]])).toMatchObject({ host: "b.example" });
    expect(ask(two, [["a.example", false]])).toMatchObject({ status: 403 });
    expect(ask(`<sip:a.example;lr>, ${own}`, [], byCaller)).toMatchObject({ isInDialog: true });
    expect(ask(`${own}, ${two}`, [], byCaller)).toMatchObject({ kind: "path" });
    expect(ask("<sip:203.0.113.1;lr>")).toMatchObject({ kind: "path" });
  });
});

it.each([
  ["ours with a token", own.replace("sip:", "sips:")],
  ["ours", "<sips:203.0.113.1;lr>"],
  ["a served domain, behind ours", "<sip:203.0.113.1;lr>, <sips:example.com;lr>"],
  ["foreign, behind a token", `${own}, <SIPS:p.example.org;lr>`],
])("§26.2.2: a sips Route that is %s is refused with 416", (_, Route) => {
  expect(read("sip:bob@10.0.0.2", { Route, ...byCaller }, ["example.com"])).toMatchObject({ status: 416 });
});

describe("foreign Routes", () => {
  it.each([
    ["alone", "<sip:p.example.org;lr>"],
    ["behind ours", "<sip:203.0.113.1;lr>, <sip:p.example.org;lr>"],
    ["on another port of ours", "<sip:203.0.113.1:5099;lr>"],
    ["with a token that is of another call", `<sip:${sealToken(token, "x", "y", seal)}@p.example.org;lr>`],
  ])("%s are refused with 403: no open relay", (_, Route) => {
    expect(read("sip:bob@example.com", { Route, ...byCaller })).toMatchObject({
      kind: "reject",
      status: 403,
    });
  });

  it("a Route that cannot be read is refused with 400", () => {
    expect(read("sip:bob@example.com", { Route: "<sip:x" })).toMatchObject({ kind: "reject", status: 400 });
  });
});

describe("§16.4: a strict router before us", () => {
  const uri = `sip:${user}@203.0.113.1:5060;lr`;

  it("the last Route becomes the Request-URI again and the token leads on", () => {
    const path = read(uri, { Route: "<sip:bob@10.0.0.2:5062>", ...byCaller });
    expect(path).toMatchObject({ dialog: forth });
    expect(path.kind === "path" && path.text).toBe(requestOf("BYE", "sip:bob@10.0.0.2:5062", byCaller).text);
  });

  it("a sips URI that it put last into Route is refused with 416", () => {
    expect(read(uri, { Route: "<sips:bob@10.0.0.2>", ...byCaller })).toMatchObject({ status: 416 });
  });

  it("Routes before the last one stay", () => {
    const path = read(uri, { Route: ["<sip:p.example.org;lr>", "<sip:bob@10.0.0.2>"], ...byCaller });
    expect(path.kind === "path" && routes(path.text)).toEqual(["Route: <sip:p.example.org;lr>"]);
  });

  it("without a Route, or with one longer than a Request-URI may be, it is refused", () => {
    expect(read(uri, byCaller)).toMatchObject({ status: 400 });
    expect(read(uri, { Route: `<sip:${"b".repeat(2048)}@h>`, ...byCaller })).toMatchObject({ status: 414 });
  });
});
