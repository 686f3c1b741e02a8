/** Where a request goes (RFC 3261 §16.3 to §16.5; design-sip rules 15 and 17). */
import { beforeEach, describe, expect, it } from "vitest";
import { issueNonce } from "../auth/nonce.ts";
import {
  type ServiceDependencies,
  TestServices,
  withCredentials,
} from "../../../test/support/test-services.ts";
import { type Fields, requestOf } from "../../../test/support/sip-message.ts";
import { type Aor, aorText } from "../location/account.ts";
import type { Lookup } from "../location/location.ts";
import type { Binding } from "../location/binding.ts";
import { contactKey } from "../location/contact-key.ts";
import { contactId } from "../location/contact-id.ts";
import { StoreUnavailable } from "../location/location-store.ts";
import { applyEdits } from "../wire/edits.ts";
import { type Flow, flowOf } from "../wire/flow.ts";
import { maxCredentials, maxRouteHosts } from "../wire/limits.ts";
import { type FlowToken, sealToken } from "./flow-token.ts";
import { answerOptions, route, routeAck } from "./proxy.ts";
import type { Rejection } from "../wire/rejection.ts";

const aliceFlow = flowOf("198.51.100.7", 4711);
const bobFlow = flowOf("192.0.2.2", 5060);
const callBob = "sip:bob@example.com";
const bobs = { username: "bob", domain: "example.com" };
const binding = (change: Partial<Binding> = {}): Binding => ({
  id: "22",
  contact: "sip:bob@192.0.2.2:5060",
  q: 1000,
  callId: "c",
  cseq: 1,
  expiresIn: 60,
  flow: bobFlow,
  isBehindNat: false,
  ownerNode: "bbbbbbbbbbbb",
  userAgent: "",
  instance: undefined,
  regId: 0,
  nonceAt: 0,
  nonceCount: 0,
  registeredAt: 0,
  ...change,
});

let services: TestServices;
let node: ServiceDependencies;
beforeEach(() => {
  services = new TestServices();
  services.store.addDomain("example.com");
  for (const user of ["alice", "bob", "carol"])
    services.store.addUser(user, "example.com", { password: user });
  services.store.addRow(bobs, binding());
  node = services.dependencies();
});

const ask = (method: string, uri: string, fields: Fields = {}, source: Flow = aliceFlow) =>
  route(requestOf(method, uri, fields), source, node);
/** As `user`, who answers the challenge with his password. */
async function askAs(user: string, method: string, uri: string, fields: Fields = {}, password = user) {
  services.now += 1; // a nonce of its own
  const refusal = await ask(method, uri, fields);
  if (refusal.kind !== "reject" || refusal.status !== 407) return refusal;
  return route(withCredentials(method, uri, fields, refusal, user, password), aliceFlow, node);
}

/** The node's look-ups, which list the names that are resolved. */
const listing = (asked: string[]): Lookup => {
  const { lookup } = node;
  return {
    resolve: (name) => (asked.push(aorText(name)), lookup.resolve(name)),
    bindings: (aor) => lookup.bindings(aor),
    bindingById: (id) => lookup.bindingById(id),
    bindingsByContact: (key) => lookup.bindingsByContact(key),
    dialogTarget: (sideId) => lookup.dialogTarget(sideId),
    storeDialogTarget: (target) => lookup.storeDialogTarget(target),
  };
};

describe("§16.3 step 6: everything out of dialog is challenged (rule 15)", () => {
  it.each(["INVITE", "MESSAGE", "OPTIONS", "SUBSCRIBE", "BYE", "NOSUCH"])(
    "%s: 407 in the caller's realm",
    async (method) => {
      const answer = await ask(method, callBob);
      expect(answer).toMatchObject({ kind: "reject", status: 407 });
      expect(answer.kind === "reject" && answer.lines).toMatch(
        /^Proxy-Authenticate: Digest realm="example.com", /,
      );
    },
  );

  it("whatever its From: of an unknown user, of a domain elsewhere, of no SIP address", async () => {
    for (const From of [
      "<sip:ghost@example.com>;tag=1",
      "<sip:x@elsewhere.example>;tag=1",
      "<tel:+49>;tag=1",
      "<sip:example.com>;tag=1",
    ])
      expect(await ask("INVITE", callBob, { From }), From).toMatchObject({ status: 407 });
  });

  it("with a To tag but without a token: a tag proves nothing", async () => {
    expect(await ask("BYE", callBob, { To: `<${callBob}>;tag=made-up` })).toMatchObject({ status: 407 });
  });

  it("with our address as Route, and with a token of another call", async () => {
    const token = sealToken(talk, "another call", "alice-1", services.tokenSeal);
    for (const Route of ["<sip:203.0.113.1;lr>", `<sip:${token}@203.0.113.1;lr>`])
      expect(await ask("INVITE", callBob, { Route, To: `<${callBob}>;tag=bob-1` }), Route).toMatchObject({
        status: 407,
      });
  });

  it("with a served domain or an alias of it as Route; with a foreign or a disabled one it is refused", async () => {
    services.store.addDomain("alias.example", { aliasOf: "example.com" });
    services.store.addDomain("off.example", { isEnabled: false });
    for (const Route of ["<sip:example.com;lr>", "<sip:203.0.113.1;lr>, <sip:alias.example:5060;lr>"])
      expect(await askAs("alice", "INVITE", callBob, { Route }), Route).toMatchObject({ kind: "forward" });
    for (const Route of ["<sip:p.example.org;lr>", "<sip:off.example;lr>"])
      expect(await ask("INVITE", callBob, { Route }), Route).toMatchObject({
        status: 403,
        isUnauthenticated: true,
      });
  });

  it("only so many served domains in Route are looked up, one that stands twice once", async () => {
    const asked: string[] = [];
    const hosts = Array.from({ length: maxRouteHosts + 1 }, (_, i) => `d${i}.example`);
    for (const host of hosts) services.store.addDomain(host, { aliasOf: "example.com" });
    const counted = { ...node, lookup: listing(asked) };
    const routeBy = (names: string[]) => {
      const Route = names.map((host) => `<sip:${host};lr>`);
      return route(requestOf("INVITE", callBob, { Route, From: "<tel:+49>;tag=1" }), aliceFlow, counted);
    };
    const most = hosts.slice(1);
    expect(await routeBy([...most, ...most])).toMatchObject({ status: 407 });
    asked.length = 0;
    expect(await routeBy(hosts)).toMatchObject({ status: 403, isUnauthenticated: true });
    expect(asked).toEqual(most.map((_, i) => `@d${i}.example`));
  });

  it("a Route that is known to be ours costs no look-up", async () => {
    const asked: string[] = [];
    const counted = { ...node, lookup: listing(asked) };
    const routes = [undefined, "<sip:203.0.113.1;lr>", "<sip:example.com;lr>"];
    const counts: number[] = [];
    for (const Route of routes) {
      await route(requestOf("INVITE", callBob, { Route }), aliceFlow, counted);
      counts.push(asked.splice(0).length);
    }
    expect(counts).toEqual([1, 1, 2]);
    const dropped = requestOf("ACK", callBob, { Route: "<sip:example.com;lr>", To: "<sip:bob@h>;tag=x" });
    expect([await routeAck(dropped, counted), asked]).toEqual([undefined, []]);
  });

  it("a wrong password and an unknown user get the same challenge as before", async () => {
    expect(await askAs("alice", "INVITE", callBob, {}, "wrong")).toMatchObject({ status: 407 });
    expect(await askAs("ghost", "INVITE", callBob, { From: "<sip:ghost@example.com>;tag=1" })).toMatchObject({
      status: 407,
    });
  });

  it("From must be the user that logs in: another one is a final 403, and a wrong password 407 as ever", async () => {
    for (const From of [
      "<sip:carol@example.com>;tag=1",
      "<sip:ghost@example.com>;tag=1",
      "<sip:x@elsewhere.example>;tag=1",
      "<tel:+49>;tag=1",
      "<sip:example.com>;tag=1",
    ]) {
      const answer = await askAs("alice", "INVITE", callBob, { From });
      expect(answer, From).toMatchObject({ status: 403, reason: expect.stringContaining("From") as unknown });
      expect(answer.kind === "reject" && answer.isUnauthenticated, From).toBeFalsy();
      expect(await askAs("alice", "INVITE", callBob, { From }, "wrong"), From).toMatchObject({ status: 407 });
    }
  });

  it("which names are looked up depends on the request alone, so that the time does not tell who exists", async () => {
    const asked: string[] = [];
    const lookup = listing(asked);
    const refusal = await ask("INVITE", "sip:x@elsewhere.example");
    if (refusal.kind !== "reject") throw new Error("not challenged");
    const lists = [];
    for (const isThere of [true, false]) {
      if (!isThere) services.store.addAlias({ username: "200", domain: "example.com" }, bobs);
      const From = `<sip:${isThere ? "ghost" : "200"}@example.com>;tag=1`;
      const request = withCredentials("INVITE", "sip:x@elsewhere.example", { From }, refusal, "bob", "wrong");
      await route(request, aliceFlow, { ...node, lookup });
      lists.push(asked.splice(0).map((name) => name.replace(/^(ghost|200)@/, "from@")));
    }
    expect(lists[0]).toEqual(lists[1]);
  });

  it("a disabled domain that shares the realm lets nobody in", async () => {
    services.store.addDomain("off.example", { isEnabled: false, realm: "example.com" });
    services.store.addUser("dora", "off.example", { password: "dora" });
    const From = "<sip:dora@off.example>;tag=1";
    for (const login of ["dora", "dora@off.example"])
      expect(await askAs(login, "INVITE", callBob, { From }, "dora"), login).toMatchObject({ status: 407 });
    const hidden = { From: "<sip:anonymous@anonymous.invalid>;tag=1" };
    expect(await askAs("dora@off.example", "INVITE", callBob, hidden, "dora")).toMatchObject({ status: 407 });
  });

  it("or one of its aliases", async () => {
    services.store.addAlias(
      { username: "200", domain: "example.com" },
      { username: "alice", domain: "example.com" },
    );
    expect(await askAs("alice", "INVITE", callBob, { From: "<sip:200@example.com>;tag=1" })).toMatchObject({
      kind: "forward",
    });
  });

  it.each(["alice@example.com", "alice@alias.example"])("the login name may be %s", async (login) => {
    services.store.addDomain("alias.example", { aliasOf: "example.com" });
    expect(await askAs(login, "INVITE", callBob, {}, "alice")).toMatchObject({ kind: "forward" });
    expect(await askAs(login, "INVITE", callBob, {}, "wrong")).toMatchObject({ status: 407 });
    expect(await askAs("alice@elsewhere.example", "INVITE", callBob, {}, "alice")).toMatchObject({
      status: 407,
    });
  });

  it("an alias in one domain of a user of another logs in as that user", async () => {
    services.store.addDomain("b.example");
    services.store.addUser("dora", "b.example", { password: "dora" });
    services.store.addAlias(
      { username: "300", domain: "example.com" },
      { username: "dora", domain: "b.example" },
    );
    const From = "<sip:300@example.com>;tag=1";
    expect(await askAs("dora", "INVITE", callBob, { From })).toMatchObject({ kind: "forward" });
  });

  it("an alias is no login name", async () => {
    services.store.addAlias(
      { username: "200", domain: "example.com" },
      { username: "alice", domain: "example.com" },
    );
    const From = "<sip:200@example.com>;tag=1";
    for (const login of ["200", "200@example.com"])
      expect(await askAs(login, "INVITE", callBob, { From }, "alice"), login).toMatchObject({ status: 407 });
  });

  it("a peer's contact is no binding of ours", async () => {
    services.peers.add(aliceFlow.key);
    expect(await ask("INVITE", callBob, { Contact: "<sip:x@192.0.2.77>" })).toMatchObject({
      kind: "forward",
      caller: { contactId: "0" },
    });
  });

  it("a disabled user cannot call", async () => {
    services.store.addUser("alice", "example.com", { password: "alice", isEnabled: false });
    expect(await askAs("alice", "INVITE", callBob)).toMatchObject({ status: 407 });
  });

  describe("an anonymous From (RFC 3323 §4.1): the caller is who the credentials prove", () => {
    const alice = { username: "alice", domain: "example.com" };
    const contact = {
      uri: "sip:alice@10.0.0.7",
      q: undefined,
      expires: undefined,
      instance: undefined,
      regId: 0,
    };
    const hidden = (From: string, fields: Fields = {}) => ({
      From: `${From};tag=1`,
      Contact: `<${contact.uri}>`,
      ...fields,
    });

    it.each([
      '"Anonymous" <sip:anonymous@anonymous.invalid>',
      "<sip:anonymous.invalid>",
      "<sip:c8o@x.invalid>",
      "<sip:Anonymous@192.0.2.7>",
      "<sip:anonymous@example.com>",
    ])("%s", async (From) => {
      const routing = await askAs("alice", "INVITE", callBob, hidden(From));
      const id = contactId(alice, contact, aliceFlow, true);
      expect(routing).toMatchObject({ kind: "forward", caller: { contactId: id } });
      expect(await askAs("alice", "INVITE", callBob, hidden(From), "wrong")).toMatchObject({ status: 407 });
    });

    it("who has the name itself is no anonymous caller", async () => {
      services.store.addUser("anonymous", "example.com", { password: "x" });
      expect(await askAs("alice", "INVITE", callBob, hidden("<sip:anonymous@example.com>"))).toMatchObject({
        status: 403,
      });
    });

    describe("to a domain that refuses anonymous callers (RFC 5079)", () => {
      const refused = { kind: "reject", status: 433, reason: "Anonymity Disallowed" };
      const shown = "<sip:alice@example.com>";
      beforeEach(() => services.store.addDomain("example.com", { anonymousCallers: "Reject" }));

      it.each([
        ["the host is below invalid", "<sip:anonymous@anonymous.invalid>", {}],
        ["the user part is anonymous", "<sip:Anonymous@192.0.2.7>", {}],
        ["the display name is quoted", `"Anonymous" ${shown}`, {}],
        ["the display name is a token", `anonymous ${shown}`, {}],
        ["Privacy: id", shown, { Privacy: "critical;id" }],
        ["Privacy: user", shown, { Privacy: "user" }],
      ])(
        "%s: 433 for whoever proved who it is, a challenge for everybody else",
        async (_what, From, more) => {
          for (const method of ["INVITE", "MESSAGE", "SUBSCRIBE", "OPTIONS"]) {
            const fields = hidden(From, more);
            expect(await askAs("alice", method, callBob, fields), method).toMatchObject(refused);
            expect(await ask(method, callBob, fields), method).toMatchObject({ status: 407 });
            expect(await askAs("alice", method, callBob, fields, "wrong"), method).toMatchObject({
              status: 407,
            });
            services.peers.add(aliceFlow.key);
            expect(await ask(method, callBob, fields), method).toMatchObject(refused);
            services.peers.delete(aliceFlow.key);
          }
        },
      );

      it.each([
        ["its own address", shown, {}],
        ["a display name that holds the word", `"Anonymous Coward" ${shown}`, {}],
        ["another privacy", shown, { Privacy: "header;none" }],
      ])("%s is no anonymous caller", async (_what, From, more) => {
        expect(await askAs("alice", "INVITE", callBob, hidden(From, more))).toMatchObject({
          kind: "forward",
        });
      });

      it("nor is the user who has that name", async () => {
        services.store.addUser("anonymous", "example.com", { password: "anonymous" });
        const From = "<sip:anonymous@example.com>";
        expect(await askAs("anonymous", "INVITE", callBob, hidden(From))).toMatchObject({ kind: "forward" });
      });

      it("the called user's domain decides, not the caller's, and nobody learns who is there", async () => {
        const From = "<sip:anonymous@anonymous.invalid>";
        expect(await askAs("alice", "INVITE", "sip:nobody@example.com", hidden(From))).toMatchObject(refused);
        expect(await askAs("alice", "INVITE", "sip:carol@example.com", hidden(From))).toMatchObject(refused);
        expect(
          await askAs("alice", "INVITE", "sip:bob@192.0.2.2:5060", hidden(shown, { Privacy: "id" })),
        ).toMatchObject(refused);
        services.store.addDomain("b.example");
        services.store.addUser("dora", "b.example", { password: "dora" });
        services.store.addRow({ username: "dora", domain: "b.example" }, binding({ id: "23" }));
        services.store.addAlias({ username: "300", domain: "b.example" }, bobs);
        const callDora = "sip:dora@b.example";
        const own = hidden(From, { "P-Preferred-Identity": shown });
        expect(await askAs("alice", "INVITE", callDora, own)).toMatchObject({ kind: "forward" });
        expect(await askAs("alice", "INVITE", "sip:300@b.example", own)).toMatchObject(refused);
      });
    });

    describe("of another served domain than the called one", () => {
      beforeEach(() => {
        services.store.addDomain("b.example", { realm: "b realm" });
        services.store.addUser("dora", "b.example", { password: "dora" });
      });
      const From = "<sip:anonymous@anonymous.invalid>";

      it("is asked in the realm of the identity that it prefers, which proves nothing", async () => {
        for (const name of ["P-Preferred-Identity", "P-Asserted-Identity", "Remote-Party-ID"]) {
          const fields = hidden(From, { [name]: "<sip:dora@b.example>" });
          expect(((await ask("INVITE", callBob, fields)) as Rejection).lines, name).toContain(
            'realm="b realm"',
          );
          expect(await askAs("dora", "INVITE", callBob, fields), name).toMatchObject({ kind: "forward" });
          expect(await askAs("alice", "INVITE", callBob, fields), name).toMatchObject({ status: 407 });
        }
        const unserved = hidden(From, { "P-Preferred-Identity": "<sip:x@elsewhere.example>" });
        expect(((await ask("INVITE", callBob, unserved)) as Rejection).lines).toContain(
          'realm="example.com"',
        );
      });

      it("is known by credentials that it has for its own realm, or by its login name", async () => {
        services.store.addDomain("c.example");
        services.store.addUser("erin", "c.example", { password: "erin" });
        const own = await ask("INVITE", "sip:x@c.example", hidden("<sip:erin@c.example>"));
        const signed = withCredentials("INVITE", callBob, hidden(From), own as Rejection, "erin");
        expect(await route(signed, aliceFlow, node)).toMatchObject({ kind: "forward" });
        services.now += 1; // a nonce of its own
        const other = await ask("INVITE", "sip:x@b.example", hidden("<sip:dora@b.example>"));
        const named = withCredentials(
          "INVITE",
          callBob,
          hidden(From),
          other as Rejection,
          "dora@b.example",
          "dora",
        );
        expect(await route(named, aliceFlow, node)).toMatchObject({ kind: "forward" });
      });

      it("credentials for many realms, each with a name of its own, cost a few look-ups each and not all of all", async () => {
        const asked: string[] = [];
        const values = Array.from(
          { length: maxCredentials },
          (_, i) => `Digest username="u${i}@h${i}.example", realm="r${i}.example"`,
        );
        const request = requestOf("INVITE", callBob, {
          From: `${From};tag=1`,
          "Proxy-Authorization": values,
        });
        expect(await route(request, aliceFlow, { ...node, lookup: listing(asked) })).toMatchObject({
          status: 407,
        });
        // Of each the realm and the host as homes, and the name twice for From's domain and twice for the chosen one
        expect(asked.length).toBeLessThanOrEqual(6 * maxCredentials + 3);
      });

      it("is asked in the called domain's realm where nothing says whose it is", async () => {
        expect(((await ask("INVITE", callBob, hidden(From))) as Rejection).lines).toContain(
          'realm="example.com"',
        );
        expect(await ask("INVITE", "sip:x@elsewhere.example", hidden(From))).toMatchObject({ status: 404 });
      });
    });
  });

  it("of several Proxy-Authorization fields one has to be right, and the called phone sees none", async () => {
    const refusal = await ask("INVITE", callBob);
    if (refusal.kind !== "reject") throw new Error("not challenged");
    const values = ["wrong", "alice"].map(
      (password) =>
        /Proxy-Authorization: (.*)/.exec(
          withCredentials("INVITE", callBob, {}, refusal, "alice", password).text,
        )?.[1] ?? "",
    );
    const request = requestOf("INVITE", callBob, { "Proxy-Authorization": values });
    const routing = await route(request, aliceFlow, node);
    if (routing.kind !== "forward") throw new Error(routing.reason);
    expect(applyEdits(request.text, routing.edits)).not.toContain("Proxy-Authorization");
  });

  it("a configured peer is not challenged, and its From is its own business", async () => {
    services.peers.add(aliceFlow.key);
    const routing = await ask("INVITE", callBob, { From: "<sip:+49@trunk.example>;tag=1" });
    expect(routing).toMatchObject({ kind: "forward", caller: { contactId: "0" } });
  });
});

describe("§16.5: targets", () => {
  it("the bindings of the called user, with how each phone is reached", async () => {
    services.store.addRow(
      bobs,
      binding({ id: "23", contact: "sip:bob@10.0.0.3", flow: aliceFlow, isBehindNat: true, q: 100 }),
    );
    const routing = await askAs("alice", "INVITE", callBob);
    expect(routing.kind === "forward" && routing.targets).toMatchObject([
      { uri: "sip:bob@192.0.2.2:5060", flow: bobFlow, contactId: "22", ownerNode: "bbbbbbbbbbbb" },
      { uri: "sip:bob@10.0.0.3", flow: aliceFlow, isBehindNat: true, contactId: "23" },
    ]);
  });

  it("by an alias, and by an escaped user part", async () => {
    services.store.addAlias({ username: "100", domain: "example.com" }, bobs);
    for (const uri of ["sip:100@example.com", "sip:%62ob@EXAMPLE.com:5060;x=y"])
      expect(await askAs("alice", "INVITE", uri), uri).toMatchObject({ kind: "forward" });
  });

  it.each([
    [404, "an unknown user", "sip:ghost@example.com"],
    [404, "a URI without a user", "sip:example.com"],
    [404, "a disabled user", "sip:off@example.com"],
    [480, "a user without a phone", "sip:carol@example.com"],
    [404, "another case of the name", "sip:Bob@example.com"],
  ])("%i for %s, to who logged in", async (status, _, uri) => {
    services.store.addUser("off", "example.com", { isEnabled: false });
    expect(await askAs("alice", "INVITE", uri)).toMatchObject({ kind: "reject", status });
    expect(await ask("INVITE", uri)).toMatchObject({ status: 407 });
  });

  it("480 where the only contact is sips, which UDP must not reach; 416 for a sips Request-URI", async () => {
    services.store.addRow(
      { username: "carol", domain: "example.com" },
      binding({ id: "33", contact: "sips:carol@h" }),
    );
    expect(await askAs("alice", "INVITE", "sip:carol@example.com")).toMatchObject({ status: 480 });
    for (const method of ["INVITE", "MESSAGE"])
      expect(await ask(method, "sips:bob@example.com"), method).toMatchObject({ status: 416 });
    expect(await answerOptions(requestOf("OPTIONS", "sips:example.com"), node)).toMatchObject({
      status: 416,
    });
  });

  it("480 once the last binding has expired", async () => {
    services.store.now += 61;
    expect(await askAs("alice", "INVITE", callBob)).toMatchObject({ status: 480 });
  });

  it("404 with a Warning for a domain that is not served, or no more", async () => {
    services.store.addDomain("off.example", { isEnabled: false });
    for (const domain of ["unserved.example", "off.example"])
      expect(await askAs("alice", "INVITE", `sip:bob@${domain}`)).toMatchObject({
        status: 404,
        lines: `Warning: 399 strowger "The domain ${domain} is not served here"\r\n`,
      });
  });

  it("no open relay: a stranger's request for a stranger's domain is 404 without a challenge", async () => {
    const answer = await ask("INVITE", "sip:x@unserved.example", { From: "<sip:y@elsewhere.example>;tag=1" });
    expect(answer).toMatchObject({ status: 404 });
  });

  it("§22.3: the credentials that were meant for us go no further, others' do", async () => {
    const refusal = await ask("INVITE", callBob);
    if (refusal.kind !== "reject") throw new Error("not challenged");
    const other = 'Digest username="a", realm="next hop", nonce="n", uri="u", response="r"';
    const signed = withCredentials("INVITE", callBob, { "X-Keep": "1" }, refusal, "alice");
    const both = requestOf("INVITE", callBob, {
      "X-Keep": "1",
      "Proxy-Authorization": [/Proxy-Authorization: (.*)/.exec(signed.text)?.[1] ?? "", other],
    });
    const routing = await route(both, aliceFlow, node);
    if (routing.kind !== "forward") throw new Error(routing.reason);
    expect(applyEdits(both.text, routing.edits).match(/^Proxy-Authorization: .*$/gm)).toEqual([
      `Proxy-Authorization: ${other}`,
    ]);
  });

  it("§22.3: of our realm everything goes, also partial or stale credentials beside the right ones", async () => {
    const refusal = await ask("INVITE", callBob);
    if (refusal.kind !== "reject") throw new Error("not challenged");
    const right = /Proxy-Authorization: (.*)/.exec(
      withCredentials("INVITE", callBob, {}, refusal, "alice").text,
    )?.[1];
    const partial = 'Digest username="alice", realm="example.com", nonce="", uri="u", response=""';
    const request = requestOf("INVITE", callBob, { "Proxy-Authorization": [partial, right ?? ""] });
    const routing = await route(request, aliceFlow, node);
    if (routing.kind !== "forward") throw new Error(routing.reason);
    expect(applyEdits(request.text, routing.edits)).not.toContain("Proxy-Authorization");
  });

  it("the caller's binding goes into the token", async () => {
    const contact = {
      uri: "sip:alice@10.0.0.7",
      q: undefined,
      expires: undefined,
      instance: undefined,
      regId: 0,
    };
    const routing = await askAs("alice", "INVITE", callBob, { Contact: `<${contact.uri}>` });
    const id = contactId({ username: "alice", domain: "example.com" }, contact, aliceFlow, true);
    expect(routing).toMatchObject({
      caller: { flow: aliceFlow, isBehindNat: true, ownerNode: "aaaaaaaaaaaa", contactId: id },
    });
  });

  it("§12.1.1: or the one that its phone registered, also where the INVITE does not say its instance or reg-id", async () => {
    const alices = { username: "alice", domain: "example.com" };
    const phone = { contact: "sip:alice@10.0.0.7", flow: aliceFlow, instance: "<urn:x>", regId: 1 };
    services.store.addRow(
      alices,
      binding({ id: "41", contact: "sip:alice@10.0.0.8", flow: bobFlow, instance: "<urn:y>" }),
    );
    services.store.addRow(alices, binding({ id: "42", ...phone }));
    for (const more of ["", ';+sip.instance="<urn:x>"', ';+sip.instance="<urn:x>";reg-id=1'])
      expect(
        await askAs("alice", "INVITE", callBob, { Contact: `<sip:alice@10.0.0.7>${more}` }),
        more,
      ).toMatchObject({
        caller: { contactId: "42", contactKey: contactKey("sip:alice@10.0.0.7") },
      });
    services.store.addAlias({ username: "200", domain: "example.com" }, alices);
    const byAlias = { Contact: "<sip:alice@10.0.0.7>", From: "<sip:200@example.com>;tag=1" };
    expect(await askAs("alice", "INVITE", callBob, byAlias)).toMatchObject({ caller: { contactId: "42" } });
  });

  it("a caller that listens on another port goes into the token with it, and with no node that heard it (ADR 32)", async () => {
    const direct = {
      Via: `SIP/2.0/UDP 198.51.100.7:4711;branch=z9hG4bK-1`,
      Contact: "<sip:alice@198.51.100.7:5070>",
    };
    expect(await askAs("alice", "INVITE", callBob, direct)).toMatchObject({
      caller: { flow: flowOf("198.51.100.7", 5070), isBehindNat: false, ownerNode: "" },
    });
  });

  it("the caller's bindings are read where a dialog may begin, and not for a MESSAGE", async () => {
    const read: string[] = [];
    const counted = {
      ...node,
      lookup: Object.assign(Object.create(node.lookup) as typeof node.lookup, {
        bindings: (aor: Aor) => (read.push(aor.username), node.lookup.bindings(aor)),
      }),
    };
    for (const method of ["INVITE", "MESSAGE"]) {
      services.now += 1;
      const refusal = await ask(method, callBob);
      if (refusal.kind !== "reject") throw new Error("not challenged");
      await route(withCredentials(method, callBob, {}, refusal, "alice"), aliceFlow, counted);
      expect(read.splice(0).sort(), method).toEqual(method === "INVITE" ? ["alice", "bob"] : ["bob"]);
    }
  });

  it("P7: a database that is away is the floor plan's 500", async () => {
    services.store.isAway = true;
    await expect(ask("INVITE", callBob)).rejects.toThrow(StoreUnavailable);
  });
});

const aliceContact = "sip:alice@10.0.0.7:5060";
const bobContact = "sip:bob@192.0.2.2:5060";
const talk: FlowToken = {
  caller: {
    flow: aliceFlow,
    isBehindNat: true,
    ownerNode: "aaaaaaaaaaaa",
    contactId: "0",
    contactKey: contactKey(aliceContact),
  },
  callee: {
    flow: bobFlow,
    isBehindNat: false,
    ownerNode: "bbbbbbbbbbbb",
    contactId: "22",
    contactKey: contactKey(bobContact),
  },
};

describe("in a dialog (rule 17)", () => {
  const fields = (): Fields => ({
    Route: `<sip:${sealToken(talk, "call-1", "alice-1", services.tokenSeal)}@203.0.113.1:5060;lr>`,
    From: "<sip:alice@example.com>;tag=alice-1",
    To: "<sip:bob@example.com>;tag=bob-1",
  });

  it("the token leads to the other phone, unchallenged and whatever the Request-URI", async () => {
    const routing = await ask("BYE", "sip:bob@10.9.9.9", fields(), flowOf("203.0.113.77", 1));
    expect(routing).toMatchObject({
      kind: "forward",
      caller: undefined,
      targets: [{ flow: bobFlow, uri: undefined }],
    });
  });

  it("a phone that nobody hears there any more is found by its binding", async () => {
    const moved = flowOf("192.0.2.99", 9);
    services.store.addRow(bobs, binding({ flow: moved, ownerNode: "cccccccccccc" }));
    expect(await ask("BYE", "sip:bob@h", fields())).toMatchObject({
      targets: [{ flow: moved, ownerNode: "cccccccccccc" }],
    });
    services.reachable.add(bobFlow.key);
    expect(await ask("BYE", "sip:bob@h", fields())).toMatchObject({ targets: [{ flow: bobFlow }] });
  });

  describe("§12.2.1.2: a phone that refreshes its target from another address (ADR 31)", () => {
    const movedFlow = flowOf("203.0.113.50", 6000);
    const movedContact = "sip:alice@10.9.0.1:5060";
    const byBob = (): Fields => ({
      ...fields(),
      From: "<sip:bob@example.com>;tag=bob-1",
      To: "<sip:alice@example.com>;tag=alice-1",
    });
    const targetOf = async (uri: string, by: Fields = byBob()) => {
      const routing = await ask("BYE", uri, by, bobFlow);
      return routing.kind === "forward" ? routing.targets[0] : routing;
    };
    const refresh = (method: string, Contact: string | undefined = `<${movedContact}>`, source = movedFlow) =>
      ask(method, bobContact, { ...fields(), Contact }, source);
    beforeEach(() => {
      services.reachable.add(aliceFlow.key);
      services.reachable.add(bobFlow.key);
    });

    it.each(["INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"])(
      "%s: what names the new contact goes there",
      async (method) => {
        expect(await refresh(method)).toMatchObject({ targets: [{ flow: bobFlow }] });
        expect(await targetOf(movedContact)).toEqual({
          q: 1000,
          flow: movedFlow,
          isBehindNat: true,
          ownerNode: "aaaaaaaaaaaa",
          contactId: "0",
          contactKey: contactKey(aliceContact),
          uri: undefined,
        });
        expect(await targetOf(aliceContact)).toMatchObject({ flow: aliceFlow }); // sent before the refresh came
        const ack = requestOf("ACK", movedContact, byBob());
        expect(await routeAck(ack, node)).toMatchObject({ targets: [{ flow: movedFlow }] });
      },
    );

    it.each([
      ["another method", "BYE", `<${movedContact}>`, movedFlow],
      ["no Contact", "INVITE", undefined, movedFlow],
      ["the address of the token", "INVITE", `<${movedContact}>`, aliceFlow],
    ] as const)("%s refreshes nothing", async (_, method, Contact, source) => {
      await ask(method, bobContact, { ...fields(), Contact }, source);
      expect(await targetOf(movedContact)).toMatchObject({ flow: aliceFlow });
    });

    it("the last one counts; one back to where the dialog began needs no row", async () => {
      await refresh("INVITE");
      await refresh("INVITE", "<sip:alice@10.9.0.2>", flowOf("203.0.113.51", 1));
      expect(await targetOf("sip:alice@10.9.0.2")).toMatchObject({ flow: { port: 1 } });
      expect(await targetOf(movedContact)).toMatchObject({ flow: aliceFlow });
      expect(await targetOf(aliceContact)).toMatchObject({ flow: aliceFlow });
    });

    it("a URI that the phone never said leads to the token's flow, whatever it names", async () => {
      await refresh("INVITE");
      expect(await targetOf("sip:alice@203.0.113.50:6000")).toMatchObject({ flow: aliceFlow });
    });

    it("is one dialog's and one side's: another dialog's requests and the other direction's stay where they were", async () => {
      await refresh("INVITE");
      const others = { ...byBob(), From: "<sip:bob@example.com>;tag=bob-2" };
      expect(await targetOf(movedContact, others)).toMatchObject({ flow: aliceFlow });
      expect(await targetOf(movedContact, fields())).toMatchObject({ flow: bobFlow });
    });

    it("a phone that then registered from yet another flow is found by its binding, unless nobody hears it there", async () => {
      const bobsNew = flowOf("192.0.2.70", 7);
      await ask("INVITE", aliceContact, { ...byBob(), Contact: "<sip:bob@10.9.0.3>" }, movedFlow);
      services.store.addRow(bobs, binding({ flow: bobsNew }));
      expect(await targetOf("sip:bob@10.9.0.3", fields())).toMatchObject({ flow: movedFlow });
      services.reachable.add(bobsNew.key);
      expect(await targetOf("sip:bob@10.9.0.3", fields())).toMatchObject({ flow: bobsNew });
      services.reachable.add(movedFlow.key);
      expect(await targetOf("sip:bob@10.9.0.3", fields())).toMatchObject({ flow: movedFlow });
    });

    it("a node that hears neither address sends to the one that was said last", async () => {
      await refresh("INVITE");
      services.reachable.clear();
      expect(await targetOf(movedContact)).toMatchObject({ flow: movedFlow });
      expect(await targetOf(aliceContact)).toMatchObject({ flow: aliceFlow });
    });

    it("P7: while the database is away the dialog goes on by its token", async () => {
      services.store.isAway = true;
      expect(await refresh("INVITE")).toMatchObject({ targets: [{ flow: bobFlow }] });
      expect(await targetOf(movedContact)).toMatchObject({ flow: aliceFlow });
    });

    it("a request that names the contact of the token costs no look-up", async () => {
      const asked: string[] = [];
      const counted = {
        ...node,
        lookup: Object.assign(Object.create(node.lookup) as typeof node.lookup, {
          dialogTarget: (id: string) => (asked.push(id), node.lookup.dialogTarget(id)),
          bindingById: (id: string) => (asked.push(id), node.lookup.bindingById(id)),
        }),
      };
      await route(requestOf("BYE", aliceContact, byBob()), bobFlow, counted);
      expect(asked).toEqual([]);
      await route(requestOf("BYE", movedContact, byBob()), bobFlow, counted);
      expect(asked).toHaveLength(1);
      services.reachable.clear();
      await route(requestOf("BYE", aliceContact, byBob()), bobFlow, counted); // she has no binding
      expect(asked).toHaveLength(2);
    });
  });

  it("a binding that has expired since the phone moved there leads nowhere: the token's flow is tried", async () => {
    services.store.addRow(bobs, binding({ flow: flowOf("192.0.2.99", 9), expiresIn: 0 }));
    expect(await ask("BYE", "sip:bob@h", fields())).toMatchObject({ targets: [{ flow: bobFlow }] });
  });

  it("with the binding gone, or the database away, the token's flow is tried", async () => {
    services.store.now += 61;
    expect(await ask("BYE", "sip:bob@h", fields())).toMatchObject({ targets: [{ flow: bobFlow }] });
    services.store.isAway = true;
    expect(await ask("BYE", "sip:bob@h", fields())).toMatchObject({ targets: [{ flow: bobFlow }] });
  });

  it("§22.1, §22.3: credentials that an ACK or a request repeats for us do not reach the other phone, others' do", async () => {
    const nonce = issueNonce(node.authenticator.keys, "call-1", services.now);
    const credentials = (realm: string, its: string) =>
      `Digest username="alice", realm="${realm}", nonce="${its}", uri="u", response="r", qop=auth, nc=1, cnonce="c"`;
    const other = credentials("next hop", "n");
    const repeated = { "Proxy-Authorization": [credentials("example.com", nonce), other] };
    for (const method of ["ACK", "BYE"]) {
      const request = requestOf(method, "sip:bob@h", { ...fields(), ...repeated });
      const routing =
        method === "ACK" ? await routeAck(request, node) : await route(request, aliceFlow, node);
      if (routing?.kind !== "forward") throw new Error("not forwarded");
      expect(applyEdits(request.text, routing.edits).match(/^Proxy-Authorization: .*$/gm), method).toEqual([
        `Proxy-Authorization: ${other}`,
      ]);
    }
  });

  it("a served domain before the token is ours too, for an ACK as well, also while the database is away", async () => {
    const Route = ["<sip:example.com;lr>", String(fields()["Route"])];
    const bye = requestOf("BYE", "sip:bob@h", { ...fields(), Route });
    const ack = requestOf("ACK", "sip:bob@h", { ...fields(), Route });
    for (const isAway of [false, true]) {
      services.store.isAway = isAway;
      for (const routing of [await route(bye, aliceFlow, node), await routeAck(ack, node)]) {
        if (routing?.kind !== "forward") throw new Error("not forwarded");
        expect(routing.targets).toMatchObject([{ flow: bobFlow }]);
        expect(applyEdits(bye.text, routing.edits)).not.toMatch(/^Route:/m);
      }
    }
  });

  it("a foreign Route before the token is refused, and its ACK dropped", async () => {
    const foreign = { ...fields(), Route: ["<sip:p.example.org;lr>", String(fields()["Route"])] };
    expect(await ask("BYE", "sip:bob@h", foreign)).toMatchObject({ status: 403 });
    expect(await routeAck(requestOf("ACK", "sip:bob@h", foreign), node)).toBeUndefined();
  });

  it("§22.3: stale credentials of ours do not reach the other phone either: old ones, and those of another call", async () => {
    const { keys, nonceLifetime } = node.authenticator;
    const stale = [
      issueNonce(keys, "call-1", services.now - nonceLifetime - 1),
      issueNonce(keys, "another call", services.now),
    ];
    const credentials = (nonce: string) =>
      `Digest username="alice", realm="example.com", nonce="${nonce}", uri="u", response="r", qop=auth, nc=1, cnonce="c"`;
    const values = [...stale, "somebody-else's"].map(credentials);
    for (const method of ["ACK", "BYE"]) {
      const request = requestOf(method, "sip:bob@h", { ...fields(), "Proxy-Authorization": values });
      const routing =
        method === "ACK" ? await routeAck(request, node) : await route(request, aliceFlow, node);
      if (routing?.kind !== "forward") throw new Error("not forwarded");
      expect(applyEdits(request.text, routing.edits).match(/^Proxy-Authorization: .*$/gm), method).toEqual([
        `Proxy-Authorization: ${credentials("somebody-else's")}`,
      ]);
    }
  });

  it("an expired binding is no way to a phone that nobody hears: the token's flow is tried", async () => {
    services.store.addRow(bobs, binding({ flow: flowOf("192.0.2.99", 9), expiresIn: -1 }));
    expect(await ask("BYE", "sip:bob@h", fields())).toMatchObject({ targets: [{ flow: bobFlow }] });
  });

  it("validation comes first: 483", async () => {
    expect(await ask("BYE", "sip:bob@h", { ...fields(), "Max-Forwards": "0" })).toMatchObject({
      status: 483,
    });
  });

  it("an ACK goes by the token too, and is dropped without a valid one", async () => {
    const ack = requestOf("ACK", "sip:bob@10.9.9.9", fields());
    expect(await routeAck(ack, node)).toMatchObject({ targets: [{ flow: bobFlow }] });
    for (const bad of [
      { ...fields(), Route: undefined },
      { ...fields(), "Call-ID": "other" },
      { ...fields(), "Max-Forwards": "0" },
      { ...fields(), Route: String(fields()["Route"]).replace("sip:", "sips:") },
    ])
      expect(await routeAck(requestOf("ACK", callBob, bad), node)).toBeUndefined();
  });
});

describe("§16.5, RFC 5589 §7: a Request-URI that is a phone's contact (ADR 30)", () => {
  const contact = "sip:carol@10.0.0.3:5070;line=x";
  const carolFlow = flowOf("198.51.100.9", 4712);
  const carols = { username: "carol", domain: "example.com" };
  const row = (change: Partial<Binding> = {}) =>
    binding({ id: "33", contact, flow: carolFlow, isBehindNat: true, ...change });
  const replaces = { Replaces: "call-2;to-tag=a;from-tag=b" };

  it.each(["INVITE", "MESSAGE", "REFER"])(
    "%s: goes to that binding's flow and nowhere else",
    async (method) => {
      services.store.addRow(carols, row());
      services.store.addRow(carols, binding({ id: "34", contact: "sip:carol@10.0.0.4" }));
      const routing = await askAs("alice", method, contact, replaces);
      expect(routing.kind === "forward" && routing.targets).toEqual([
        {
          q: 1000,
          uri: contact,
          flow: carolFlow,
          isBehindNat: true,
          ownerNode: "bbbbbbbbbbbb",
          contactId: "33",
          contactKey: contactKey(contact),
        },
      ]);
    },
  );

  it("404 for a contact that is nobody's, has expired, or belongs to a user or domain that is off", async () => {
    const nothing = { status: 404, reason: "Domain Not Served" };
    expect(await askAs("alice", "INVITE", contact)).toMatchObject(nothing);
    services.store.addRow(carols, row({ expiresIn: 0 }));
    expect(await askAs("alice", "INVITE", contact)).toMatchObject(nothing);
    services.store.addRow(carols, row());
    services.store.addUser("carol", "example.com", { password: "carol", isEnabled: false });
    expect(await askAs("alice", "INVITE", contact)).toMatchObject(nothing);
    services.store.addDomain("off.example", { isEnabled: false });
    services.store.addUser("carol", "off.example", {});
    services.store.addRow({ username: "carol", domain: "off.example" }, row());
    expect(await askAs("alice", "INVITE", contact)).toMatchObject(nothing);
  });

  it("only the very contact: another user part, port or parameter is nobody's", async () => {
    services.store.addRow(carols, row());
    for (const uri of ["sip:10.0.0.3:5070", "sip:carol@10.0.0.3", `${contact};transport=tcp`])
      expect(await askAs("alice", "INVITE", uri), uri).toMatchObject({ status: 404 });
    expect(await askAs("alice", "INVITE", "sips:carol@10.0.0.3:5070")).toMatchObject({ status: 416 });
  });

  it("a stranger is challenged and hears of no contact", async () => {
    services.store.addRow(carols, row());
    expect(await ask("INVITE", contact)).toMatchObject({ status: 407 });
    expect(await askAs("alice", "INVITE", contact, {}, "wrong")).toMatchObject({ status: 407 });
  });

  it("phones of several users with one private contact: the one in the caller's domain, and nobody where that leaves two", async () => {
    services.store.addDomain("other.example");
    services.store.addUser("carol", "other.example", {});
    const theirs = flowOf("198.51.100.10", 4713);
    services.store.addRow({ username: "carol", domain: "other.example" }, row({ id: "35", flow: theirs }));
    expect(await askAs("alice", "INVITE", contact)).toMatchObject({ targets: [{ flow: theirs }] });
    services.store.addRow(carols, row());
    expect(await askAs("alice", "INVITE", contact)).toMatchObject({ targets: [{ flow: carolFlow }] });
    services.store.addRow(bobs, row({ id: "36" }));
    expect(await askAs("alice", "INVITE", contact)).toMatchObject({ status: 404 });
  });

  it("two bindings of one user with it are both called", async () => {
    services.store.addRow(carols, row());
    services.store.addRow(carols, row({ id: "37", flow: bobFlow }));
    const routing = await askAs("alice", "INVITE", contact);
    expect(routing.kind === "forward" && routing.targets.map(({ flow }) => flow.key).sort()).toEqual(
      [carolFlow.key, bobFlow.key].sort(),
    );
  });
});

describe("state that a server keeps of its user, and this one does not", () => {
  const alices = { username: "alice", domain: "example.com" };
  beforeEach(() =>
    services.store.addRow(alices, binding({ id: "30", contact: "sip:alice@10.0.0.1", flow: aliceFlow })),
  );

  it.each(["message-summary", "reg", "presence.winfo"])(
    "RFC 6665: SUBSCRIBE for %s to one's own address gets 489, with a phone or without",
    async (Event) => {
      expect(await askAs("alice", "SUBSCRIBE", "sip:alice@example.com", { Event })).toMatchObject({
        status: 489,
      });
      services.store.now += 61;
      expect(await askAs("alice", "SUBSCRIBE", "sip:alice@example.com", { Event })).toMatchObject({
        status: 489,
      });
    },
  );

  it("§21.4.6: PUBLISH to one's own address gets 405, and Allow does not name it", async () => {
    const answer = await askAs("alice", "PUBLISH", "sip:alice@example.com", { Event: "presence" });
    expect(answer).toMatchObject({ status: 405 });
    expect(answer.kind === "reject" && answer.lines).toMatch(/^Allow: INVITE, (?!.*PUBLISH).*\r\n$/);
  });

  it("an alias is one's own address too", async () => {
    services.store.addAlias({ username: "200", domain: "example.com" }, alices);
    for (const method of ["SUBSCRIBE", "PUBLISH"])
      expect(await askAs("alice", method, "sip:200@example.com"), method).toMatchObject({ kind: "reject" });
  });

  it("to another user both pass, as every other method to one's own address does, and all from a peer", async () => {
    for (const method of ["SUBSCRIBE", "PUBLISH"])
      expect(await askAs("alice", method, callBob), method).toMatchObject({ kind: "forward" });
    for (const method of ["INVITE", "MESSAGE", "NOTIFY", "OPTIONS"])
      expect(await askAs("alice", method, "sip:alice@example.com"), method).toMatchObject({
        kind: "forward",
      });
    services.peers.add(aliceFlow.key);
    expect(await ask("SUBSCRIBE", "sip:alice@example.com")).toMatchObject({ kind: "forward" });
  });

  it("a stranger is challenged first", async () => {
    expect(await ask("PUBLISH", "sip:alice@example.com")).toMatchObject({ status: 407 });
  });
});

describe("§11.2: OPTIONS to the exchange itself", () => {
  const options = (uri: string, fields: Fields = {}) =>
    answerOptions(requestOf("OPTIONS", uri, fields), node);

  it.each(["sip:203.0.113.1", "sip:203.0.113.1:5060", "sip:example.com"])(
    "%s: 200 for anybody, with Allow and Accept",
    async (uri) => {
      const answer = await options(uri);
      expect(answer).toMatchObject({ status: 200 });
      expect(answer?.lines).toMatch(
        /^Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, MESSAGE, INFO, PRACK, UPDATE, REFER, SUBSCRIBE, NOTIFY, PUBLISH\r$/m,
      );
    },
  );

  it("404 with a Warning for another host, 483 and 420 as for any request", async () => {
    expect(await options("sip:unserved.example")).toMatchObject({ status: 404 });
    expect(await options("sip:example.com", { "Max-Forwards": "0" })).toMatchObject({ status: 483 });
    expect(await options("sip:example.com", { "Proxy-Require": "x" })).toMatchObject({ status: 420 });
  });

  it("to a user it is the proxy's, and so is one in a dialog whose contact has no user part", async () => {
    expect(await options(callBob)).toBeUndefined();
    expect(await options("sip:192.0.2.2:5060", { To: "<sip:bob@example.com>;tag=bob-1" })).toBeUndefined();
  });
});
