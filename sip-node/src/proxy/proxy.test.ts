/** Validation, authentication and targets of a request (RFC 3261 §16.3 to §16.5; design-sip rules 15 and 17). */
import { beforeEach, describe, expect, it } from "vitest";
import { issueNonce } from "../auth/nonce.ts";
import {
  type ServiceDependencies,
  TestServices,
  withCredentials,
} from "../../../test/support/test-services.ts";
import { type Fields, requestOf } from "../../../test/support/sip-message.ts";
import { type Aor, aorText } from "../location/account.ts";
import type { Lookup } from "../location/lookup.ts";
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
const bobUri = "sip:bob@example.com";
const bobAor = { username: "bob", domain: "example.com" };
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
  services.store.addRow(bobAor, binding());
  node = services.dependencies();
});

const routeFrom = (method: string, uri: string, fields: Fields = {}, source: Flow = aliceFlow) =>
  route(requestOf(method, uri, fields), source, node);
/** As `user`, with credentials for the challenge. */
async function routeAs(user: string, method: string, uri: string, fields: Fields = {}, password = user) {
  services.now += 1; // makes the nonce unique
  const challenge = await routeFrom(method, uri, fields);
  if (challenge.kind !== "reject" || challenge.status !== 407) return challenge;
  return route(withCredentials(method, uri, fields, challenge, user, password), aliceFlow, node);
}

/** The node's look-ups; the resolved names are appended to `lookedUp`. */
const recordLookUps = (lookedUp: string[]): Lookup => {
  const { lookup } = node;
  return {
    resolve: (name) => (lookedUp.push(aorText(name)), lookup.resolve(name)),
    resolveUnproven: (name) => (lookedUp.push(aorText(name)), lookup.resolveUnproven(name)),
    refresh: (names) => lookup.refresh(names),
    bindings: (aor) => lookup.bindings(aor),
    bindingById: (id) => lookup.bindingById(id),
    bindingsByContact: (key) => lookup.bindingsByContact(key),
    dialogTarget: (sideId) => lookup.dialogTarget(sideId),
    storeDialogTarget: (target) => lookup.storeDialogTarget(target),
  };
};

describe("§16.3 step 6: a request outside a dialog (rule 15)", () => {
  it.each(["INVITE", "MESSAGE", "OPTIONS", "SUBSCRIBE", "BYE", "NOSUCH"])(
    "is challenged with 407 in the realm of the caller when it is %s",
    async (method) => {
      const answer = await routeFrom(method, bobUri);
      expect(answer).toMatchObject({ kind: "reject", status: 407 });
      expect(answer.kind === "reject" && answer.lines).toMatch(
        /^Proxy-Authenticate: Digest realm="example.com", /,
      );
    },
  );

  it("is challenged with any From: an unknown user, a domain that is not served, or no SIP address", async () => {
    for (const From of [
      "<sip:ghost@example.com>;tag=1",
      "<sip:x@elsewhere.example>;tag=1",
      "<tel:+49>;tag=1",
      "<sip:example.com>;tag=1",
    ])
      expect(await routeFrom("INVITE", bobUri, { From }), From).toMatchObject({ status: 407 });
  });

  it("is challenged when it has a To tag without a token", async () => {
    expect(await routeFrom("BYE", bobUri, { To: `<${bobUri}>;tag=made-up` })).toMatchObject({ status: 407 });
  });

  it("is challenged with our address as Route, or with a token of another call", async () => {
    const token = sealToken(tokenParties, "another call", "alice-1", services.tokenSeal);
    for (const Route of ["<sip:203.0.113.1;lr>", `<sip:${token}@203.0.113.1;lr>`])
      expect(await routeFrom("INVITE", bobUri, { Route, To: `<${bobUri}>;tag=bob-1` }), Route).toMatchObject({
        status: 407,
      });
  });

  it("is accepted with a served domain or its alias as Route, and refused with a foreign or disabled domain", async () => {
    services.store.addDomain("alias.example", { aliasOf: "example.com" });
    services.store.addDomain("off.example", { isEnabled: false });
    for (const Route of ["<sip:example.com;lr>", "<sip:203.0.113.1;lr>, <sip:alias.example:5060;lr>"])
      expect(await routeAs("alice", "INVITE", bobUri, { Route }), Route).toMatchObject({ kind: "forward" });
    for (const Route of ["<sip:p.example.org;lr>", "<sip:off.example;lr>"])
      expect(await routeFrom("INVITE", bobUri, { Route }), Route).toMatchObject({
        status: 403,
        isUnauthenticated: true,
      });
  });

  it("causes at most maxRouteHosts look-ups of served domains in Route, one for each domain", async () => {
    const lookedUp: string[] = [];
    const hosts = Array.from({ length: maxRouteHosts + 1 }, (_, i) => `d${i}.example`);
    for (const host of hosts) services.store.addDomain(host, { aliasOf: "example.com" });
    const recordingNode = { ...node, lookup: recordLookUps(lookedUp) };
    const routeBy = (names: string[]) => {
      const Route = names.map((host) => `<sip:${host};lr>`);
      return route(requestOf("INVITE", bobUri, { Route, From: "<tel:+49>;tag=1" }), aliceFlow, recordingNode);
    };
    const allowedHosts = hosts.slice(1);
    expect(await routeBy([...allowedHosts, ...allowedHosts])).toMatchObject({ status: 407 });
    lookedUp.length = 0;
    expect(await routeBy(hosts)).toMatchObject({ status: 403, isUnauthenticated: true });
    expect(lookedUp).toEqual(allowedHosts.map((_, i) => `@d${i}.example`));
  });

  it("causes no look-up of a Route that is known to be ours", async () => {
    const lookedUp: string[] = [];
    const recordingNode = { ...node, lookup: recordLookUps(lookedUp) };
    const routes = [undefined, "<sip:203.0.113.1;lr>", "<sip:example.com;lr>"];
    const counts: number[] = [];
    for (const Route of routes) {
      await route(requestOf("INVITE", bobUri, { Route }), aliceFlow, recordingNode);
      counts.push(lookedUp.splice(0).length);
    }
    expect(counts).toEqual([1, 1, 2]);
    const dropped = requestOf("ACK", bobUri, { Route: "<sip:example.com;lr>", To: "<sip:bob@h>;tag=x" });
    expect([await routeAck(dropped, recordingNode), lookedUp]).toEqual([undefined, []]);
  });

  it("gets the same challenge with a wrong password as with an unknown user", async () => {
    expect(await routeAs("alice", "INVITE", bobUri, {}, "wrong")).toMatchObject({ status: 407 });
    expect(await routeAs("ghost", "INVITE", bobUri, { From: "<sip:ghost@example.com>;tag=1" })).toMatchObject(
      {
        status: 407,
      },
    );
  });

  it("gets a final 403 when From is not the authenticated user, and a 407 when the password is wrong", async () => {
    for (const From of [
      "<sip:carol@example.com>;tag=1",
      "<sip:ghost@example.com>;tag=1",
      "<sip:x@elsewhere.example>;tag=1",
      "<tel:+49>;tag=1",
      "<sip:example.com>;tag=1",
    ]) {
      const answer = await routeAs("alice", "INVITE", bobUri, { From });
      expect(answer, From).toMatchObject({ status: 403, reason: expect.stringContaining("From") as unknown });
      expect(answer.kind === "reject" && answer.isUnauthenticated, From).toBeFalsy();
      expect(await routeAs("alice", "INVITE", bobUri, { From }, "wrong"), From).toMatchObject({
        status: 407,
      });
    }
  });

  it("causes the same look-ups for existing and unknown users, so that the response time does not reveal users", async () => {
    const lookedUp: string[] = [];
    const lookup = recordLookUps(lookedUp);
    const challenge = await routeFrom("INVITE", "sip:x@elsewhere.example");
    if (challenge.kind !== "reject") throw new Error("not challenged");
    const lists = [];
    for (const isUnknown of [true, false]) {
      if (!isUnknown) services.store.addAlias({ username: "200", domain: "example.com" }, bobAor);
      const From = `<sip:${isUnknown ? "ghost" : "200"}@example.com>;tag=1`;
      const request = withCredentials(
        "INVITE",
        "sip:x@elsewhere.example",
        { From },
        challenge,
        "bob",
        "wrong",
      );
      await route(request, aliceFlow, { ...node, lookup });
      lists.push(lookedUp.splice(0).map((name) => name.replace(/^(ghost|200)@/, "from@")));
    }
    expect(lists[0]).toEqual(lists[1]);
  });

  it("is not authenticated with an account of a disabled domain that shares the realm", async () => {
    services.store.addDomain("off.example", { isEnabled: false, realm: "example.com" });
    services.store.addUser("dora", "off.example", { password: "dora" });
    const From = "<sip:dora@off.example>;tag=1";
    for (const login of ["dora", "dora@off.example"])
      expect(await routeAs(login, "INVITE", bobUri, { From }, "dora"), login).toMatchObject({ status: 407 });
    const anonymousFields = { From: "<sip:anonymous@anonymous.invalid>;tag=1" };
    expect(await routeAs("dora@off.example", "INVITE", bobUri, anonymousFields, "dora")).toMatchObject({
      status: 407,
    });
  });

  it("may have an alias of the authenticated user as From", async () => {
    services.store.addAlias(
      { username: "200", domain: "example.com" },
      { username: "alice", domain: "example.com" },
    );
    expect(await routeAs("alice", "INVITE", bobUri, { From: "<sip:200@example.com>;tag=1" })).toMatchObject({
      kind: "forward",
    });
  });

  it.each(["alice@example.com", "alice@alias.example"])("may have the login name %s", async (login) => {
    services.store.addDomain("alias.example", { aliasOf: "example.com" });
    expect(await routeAs(login, "INVITE", bobUri, {}, "alice")).toMatchObject({ kind: "forward" });
    expect(await routeAs(login, "INVITE", bobUri, {}, "wrong")).toMatchObject({ status: 407 });
    expect(await routeAs("alice@elsewhere.example", "INVITE", bobUri, {}, "alice")).toMatchObject({
      status: 407,
    });
  });

  it("may have an alias in one domain of an authenticated user of another domain as From", async () => {
    services.store.addDomain("b.example");
    services.store.addUser("dora", "b.example", { password: "dora" });
    services.store.addAlias(
      { username: "300", domain: "example.com" },
      { username: "dora", domain: "b.example" },
    );
    const From = "<sip:300@example.com>;tag=1";
    expect(await routeAs("dora", "INVITE", bobUri, { From })).toMatchObject({ kind: "forward" });
  });

  it("is not authenticated with an alias as login name", async () => {
    services.store.addAlias(
      { username: "200", domain: "example.com" },
      { username: "alice", domain: "example.com" },
    );
    const From = "<sip:200@example.com>;tag=1";
    for (const login of ["200", "200@example.com"])
      expect(await routeAs(login, "INVITE", bobUri, { From }, "alice"), login).toMatchObject({ status: 407 });
  });

  it("has no binding as caller when a peer sends it", async () => {
    services.peers.add(aliceFlow.key);
    expect(await routeFrom("INVITE", bobUri, { Contact: "<sip:x@192.0.2.77>" })).toMatchObject({
      kind: "forward",
      caller: { contactId: "0" },
    });
  });

  it("is not authenticated with a disabled user", async () => {
    services.store.addUser("alice", "example.com", { password: "alice", isEnabled: false });
    expect(await routeAs("alice", "INVITE", bobUri)).toMatchObject({ status: 407 });
  });

  describe("with an anonymous From (RFC 3323 §4.1)", () => {
    const alice = { username: "alice", domain: "example.com" };
    const contact = {
      uri: "sip:alice@10.0.0.7",
      q: undefined,
      expires: undefined,
      instance: undefined,
      regId: 0,
    };
    const anonymousFields = (From: string, fields: Fields = {}) => ({
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
    ])("has the authenticated user as caller when From is %s", async (From) => {
      const routing = await routeAs("alice", "INVITE", bobUri, anonymousFields(From));
      const id = contactId(alice, contact, aliceFlow, true);
      expect(routing).toMatchObject({ kind: "forward", caller: { contactId: id } });
      expect(await routeAs("alice", "INVITE", bobUri, anonymousFields(From), "wrong")).toMatchObject({
        status: 407,
      });
    });

    it("is refused with 403 when the anonymous name is that of another user", async () => {
      services.store.addUser("anonymous", "example.com", { password: "x" });
      expect(
        await routeAs("alice", "INVITE", bobUri, anonymousFields("<sip:anonymous@example.com>")),
      ).toMatchObject({
        status: 403,
      });
    });

    describe("to a domain that rejects anonymous callers (RFC 5079)", () => {
      const refused = { kind: "reject", status: 433, reason: "Anonymity Disallowed" };
      const ownFrom = "<sip:alice@example.com>";
      beforeEach(() => services.store.addDomain("example.com", { anonymousCallers: "Reject" }));

      it.each([
        ["the host is in the domain invalid", "<sip:anonymous@anonymous.invalid>", {}],
        ["the user part is anonymous", "<sip:Anonymous@192.0.2.7>", {}],
        ["the display name is quoted", `"Anonymous" ${ownFrom}`, {}],
        ["the display name is a token", `anonymous ${ownFrom}`, {}],
        ["Privacy is id", ownFrom, { Privacy: "critical;id" }],
        ["Privacy is user", ownFrom, { Privacy: "user" }],
      ])(
        "is refused with 433 when %s and the caller is authenticated, and is challenged otherwise",
        async (_what, From, more) => {
          for (const method of ["INVITE", "MESSAGE", "SUBSCRIBE", "OPTIONS"]) {
            const fields = anonymousFields(From, more);
            expect(await routeAs("alice", method, bobUri, fields), method).toMatchObject(refused);
            expect(await routeFrom(method, bobUri, fields), method).toMatchObject({ status: 407 });
            expect(await routeAs("alice", method, bobUri, fields, "wrong"), method).toMatchObject({
              status: 407,
            });
            services.peers.add(aliceFlow.key);
            expect(await routeFrom(method, bobUri, fields), method).toMatchObject(refused);
            services.peers.delete(aliceFlow.key);
          }
        },
      );

      it.each([
        ["its own address", ownFrom, {}],
        ["a display name that holds the word", `"Anonymous Coward" ${ownFrom}`, {}],
        ["another Privacy value", ownFrom, { Privacy: "header;none" }],
      ])("is forwarded with %s", async (_what, From, more) => {
        expect(await routeAs("alice", "INVITE", bobUri, anonymousFields(From, more))).toMatchObject({
          kind: "forward",
        });
      });

      it("is forwarded when the caller is the user with that name", async () => {
        services.store.addUser("anonymous", "example.com", { password: "anonymous" });
        const From = "<sip:anonymous@example.com>";
        expect(await routeAs("anonymous", "INVITE", bobUri, anonymousFields(From))).toMatchObject({
          kind: "forward",
        });
      });

      it("is refused by the setting of the called domain, not of the caller's, and independent of the called user", async () => {
        const From = "<sip:anonymous@anonymous.invalid>";
        expect(
          await routeAs("alice", "INVITE", "sip:nobody@example.com", anonymousFields(From)),
        ).toMatchObject(refused);
        expect(
          await routeAs("alice", "INVITE", "sip:carol@example.com", anonymousFields(From)),
        ).toMatchObject(refused);
        expect(
          await routeAs(
            "alice",
            "INVITE",
            "sip:bob@192.0.2.2:5060",
            anonymousFields(ownFrom, { Privacy: "id" }),
          ),
        ).toMatchObject(refused);
        services.store.addDomain("b.example");
        services.store.addUser("dora", "b.example", { password: "dora" });
        services.store.addRow({ username: "dora", domain: "b.example" }, binding({ id: "23" }));
        services.store.addAlias({ username: "300", domain: "b.example" }, bobAor);
        const doraUri = "sip:dora@b.example";
        const own = anonymousFields(From, { "P-Preferred-Identity": ownFrom });
        expect(await routeAs("alice", "INVITE", doraUri, own)).toMatchObject({ kind: "forward" });
        expect(await routeAs("alice", "INVITE", "sip:300@b.example", own)).toMatchObject(refused);
      });
    });

    describe("from a user of another served domain", () => {
      beforeEach(() => {
        services.store.addDomain("b.example", { realm: "b realm" });
        services.store.addUser("dora", "b.example", { password: "dora" });
      });
      const From = "<sip:anonymous@anonymous.invalid>";

      it("is challenged in the realm of its preferred identity, and only credentials authenticate the caller", async () => {
        for (const name of ["P-Preferred-Identity", "P-Asserted-Identity", "Remote-Party-ID"]) {
          const fields = anonymousFields(From, { [name]: "<sip:dora@b.example>" });
          expect(((await routeFrom("INVITE", bobUri, fields)) as Rejection).lines, name).toContain(
            'realm="b realm"',
          );
          expect(await routeAs("dora", "INVITE", bobUri, fields), name).toMatchObject({ kind: "forward" });
          expect(await routeAs("alice", "INVITE", bobUri, fields), name).toMatchObject({ status: 407 });
        }
        const unserved = anonymousFields(From, { "P-Preferred-Identity": "<sip:x@elsewhere.example>" });
        expect(((await routeFrom("INVITE", bobUri, unserved)) as Rejection).lines).toContain(
          'realm="example.com"',
        );
      });

      it("is authenticated by credentials for the realm of the caller, or by the login name with a domain", async () => {
        services.store.addDomain("c.example");
        services.store.addUser("erin", "c.example", { password: "erin" });
        const own = await routeFrom("INVITE", "sip:x@c.example", anonymousFields("<sip:erin@c.example>"));
        const signed = withCredentials("INVITE", bobUri, anonymousFields(From), own as Rejection, "erin");
        expect(await route(signed, aliceFlow, node)).toMatchObject({ kind: "forward" });
        services.now += 1; // makes the nonce unique
        const other = await routeFrom("INVITE", "sip:x@b.example", anonymousFields("<sip:dora@b.example>"));
        const named = withCredentials(
          "INVITE",
          bobUri,
          anonymousFields(From),
          other as Rejection,
          "dora@b.example",
          "dora",
        );
        expect(await route(named, aliceFlow, node)).toMatchObject({ kind: "forward" });
      });

      it("causes a linear number of look-ups for credentials of many realms with different names", async () => {
        const lookedUp: string[] = [];
        const values = Array.from(
          { length: maxCredentials },
          (_, i) => `Digest username="u${i}@h${i}.example", realm="r${i}.example"`,
        );
        const request = requestOf("INVITE", bobUri, {
          From: `${From};tag=1`,
          "Proxy-Authorization": values,
        });
        expect(await route(request, aliceFlow, { ...node, lookup: recordLookUps(lookedUp) })).toMatchObject({
          status: 407,
        });
        // For each: the realm and the host as domains, the name twice for the domain of From and twice for the chosen domain
        expect(lookedUp.length).toBeLessThanOrEqual(6 * maxCredentials + 3);
      });

      it("is challenged in the realm of the called domain when it has no preferred identity", async () => {
        expect(((await routeFrom("INVITE", bobUri, anonymousFields(From))) as Rejection).lines).toContain(
          'realm="example.com"',
        );
        expect(await routeFrom("INVITE", "sip:x@elsewhere.example", anonymousFields(From))).toMatchObject({
          status: 404,
        });
      });
    });
  });

  it("is accepted with one valid Proxy-Authorization of several, and all of them are removed", async () => {
    const challenge = await routeFrom("INVITE", bobUri);
    if (challenge.kind !== "reject") throw new Error("not challenged");
    const values = ["wrong", "alice"].map(
      (password) =>
        /Proxy-Authorization: (.*)/.exec(
          withCredentials("INVITE", bobUri, {}, challenge, "alice", password).text,
        )?.[1] ?? "",
    );
    const request = requestOf("INVITE", bobUri, { "Proxy-Authorization": values });
    const routing = await route(request, aliceFlow, node);
    if (routing.kind !== "forward") throw new Error(routing.reason);
    expect(applyEdits(request.text, routing.edits)).not.toContain("Proxy-Authorization");
  });

  it("is accepted from a configured peer without a challenge and with any From", async () => {
    services.peers.add(aliceFlow.key);
    const routing = await routeFrom("INVITE", bobUri, { From: "<sip:+49@trunk.example>;tag=1" });
    expect(routing).toMatchObject({ kind: "forward", caller: { contactId: "0" } });
  });
});

describe("§16.5: the routing of a request", () => {
  it("returns the bindings of the called user with their flows and owner nodes", async () => {
    services.store.addRow(
      bobAor,
      binding({ id: "23", contact: "sip:bob@10.0.0.3", flow: aliceFlow, isBehindNat: true, q: 100 }),
    );
    const routing = await routeAs("alice", "INVITE", bobUri);
    expect(routing.kind === "forward" && routing.targets).toMatchObject([
      { uri: "sip:bob@192.0.2.2:5060", flow: bobFlow, contactId: "22", ownerNode: "bbbbbbbbbbbb" },
      { uri: "sip:bob@10.0.0.3", flow: aliceFlow, isBehindNat: true, contactId: "23" },
    ]);
  });

  it("finds the bindings by an alias and by an escaped user part", async () => {
    services.store.addAlias({ username: "100", domain: "example.com" }, bobAor);
    for (const uri of ["sip:100@example.com", "sip:%62ob@EXAMPLE.com:5060;x=y"])
      expect(await routeAs("alice", "INVITE", uri), uri).toMatchObject({ kind: "forward" });
  });

  it.each([
    [404, "an unknown user", "sip:ghost@example.com"],
    [404, "a URI without a user", "sip:example.com"],
    [404, "a disabled user", "sip:off@example.com"],
    [480, "a user without a phone", "sip:carol@example.com"],
    [404, "another case of the name", "sip:Bob@example.com"],
  ])("returns a %i for %s to an authenticated caller", async (status, _, uri) => {
    services.store.addUser("off", "example.com", { isEnabled: false });
    expect(await routeAs("alice", "INVITE", uri)).toMatchObject({ kind: "reject", status });
    expect(await routeFrom("INVITE", uri)).toMatchObject({ status: 407 });
  });

  it("returns a 480 when the only contact is sips, and a 416 for a sips Request-URI", async () => {
    services.store.addRow(
      { username: "carol", domain: "example.com" },
      binding({ id: "33", contact: "sips:carol@h" }),
    );
    expect(await routeAs("alice", "INVITE", "sip:carol@example.com")).toMatchObject({ status: 480 });
    for (const method of ["INVITE", "MESSAGE"])
      expect(await routeFrom(method, "sips:bob@example.com"), method).toMatchObject({ status: 416 });
    expect(await answerOptions(requestOf("OPTIONS", "sips:example.com"), node)).toMatchObject({
      status: 416,
    });
  });

  it("returns a 480 when the last binding has expired", async () => {
    services.store.now += 61;
    expect(await routeAs("alice", "INVITE", bobUri)).toMatchObject({ status: 480 });
  });

  it("returns a 404 with a Warning for a domain that is not served or is disabled", async () => {
    services.store.addDomain("off.example", { isEnabled: false });
    for (const domain of ["unserved.example", "off.example"])
      expect(await routeAs("alice", "INVITE", `sip:bob@${domain}`)).toMatchObject({
        status: 404,
        lines: `Warning: 399 strowger "The domain ${domain} is not served here"\r\n`,
      });
  });

  it("returns a 404 without a challenge when neither the caller nor the called domain is served, so that the node is no open relay", async () => {
    const answer = await routeFrom("INVITE", "sip:x@unserved.example", {
      From: "<sip:y@elsewhere.example>;tag=1",
    });
    expect(answer).toMatchObject({ status: 404 });
  });

  it("§22.3: keeps the credentials for other proxies and removes those for this one", async () => {
    const challenge = await routeFrom("INVITE", bobUri);
    if (challenge.kind !== "reject") throw new Error("not challenged");
    const other = 'Digest username="a", realm="next hop", nonce="n", uri="u", response="r"';
    const signed = withCredentials("INVITE", bobUri, { "X-Keep": "1" }, challenge, "alice");
    const both = requestOf("INVITE", bobUri, {
      "X-Keep": "1",
      "Proxy-Authorization": [/Proxy-Authorization: (.*)/.exec(signed.text)?.[1] ?? "", other],
    });
    const routing = await route(both, aliceFlow, node);
    if (routing.kind !== "forward") throw new Error(routing.reason);
    expect(applyEdits(both.text, routing.edits).match(/^Proxy-Authorization: .*$/gm)).toEqual([
      `Proxy-Authorization: ${other}`,
    ]);
  });

  it("§22.3: removes all credentials of our realm, also partial or stale ones", async () => {
    const challenge = await routeFrom("INVITE", bobUri);
    if (challenge.kind !== "reject") throw new Error("not challenged");
    const right = /Proxy-Authorization: (.*)/.exec(
      withCredentials("INVITE", bobUri, {}, challenge, "alice").text,
    )?.[1];
    const partial = 'Digest username="alice", realm="example.com", nonce="", uri="u", response=""';
    const request = requestOf("INVITE", bobUri, { "Proxy-Authorization": [partial, right ?? ""] });
    const routing = await route(request, aliceFlow, node);
    if (routing.kind !== "forward") throw new Error(routing.reason);
    expect(applyEdits(request.text, routing.edits)).not.toContain("Proxy-Authorization");
  });

  it("puts the contact id of the caller into the token", async () => {
    const contact = {
      uri: "sip:alice@10.0.0.7",
      q: undefined,
      expires: undefined,
      instance: undefined,
      regId: 0,
    };
    const routing = await routeAs("alice", "INVITE", bobUri, { Contact: `<${contact.uri}>` });
    const id = contactId({ username: "alice", domain: "example.com" }, contact, aliceFlow, true);
    expect(routing).toMatchObject({
      caller: { flow: aliceFlow, isBehindNat: true, ownerNode: "aaaaaaaaaaaa", contactId: id },
    });
  });

  it("§12.1.1: puts the registered binding of the caller into the token, also when the INVITE has no instance or reg-id", async () => {
    const aliceAor = { username: "alice", domain: "example.com" };
    const phone = { contact: "sip:alice@10.0.0.7", flow: aliceFlow, instance: "<urn:x>", regId: 1 };
    services.store.addRow(
      aliceAor,
      binding({ id: "41", contact: "sip:alice@10.0.0.8", flow: bobFlow, instance: "<urn:y>" }),
    );
    services.store.addRow(aliceAor, binding({ id: "42", ...phone }));
    for (const more of ["", ';+sip.instance="<urn:x>"', ';+sip.instance="<urn:x>";reg-id=1'])
      expect(
        await routeAs("alice", "INVITE", bobUri, { Contact: `<sip:alice@10.0.0.7>${more}` }),
        more,
      ).toMatchObject({
        caller: { contactId: "42", contactKey: contactKey("sip:alice@10.0.0.7") },
      });
    services.store.addAlias({ username: "200", domain: "example.com" }, aliceAor);
    const byAlias = { Contact: "<sip:alice@10.0.0.7>", From: "<sip:200@example.com>;tag=1" };
    expect(await routeAs("alice", "INVITE", bobUri, byAlias)).toMatchObject({ caller: { contactId: "42" } });
  });

  it("ADR 32: puts the listening port of the caller into the token, without an owner node", async () => {
    const direct = {
      Via: `SIP/2.0/UDP 198.51.100.7:4711;branch=z9hG4bK-1`,
      Contact: "<sip:alice@198.51.100.7:5070>",
    };
    expect(await routeAs("alice", "INVITE", bobUri, direct)).toMatchObject({
      caller: { flow: flowOf("198.51.100.7", 5070), isBehindNat: false, ownerNode: "" },
    });
  });

  it("reads the bindings of the caller for a request that may create a dialog, and not for a MESSAGE", async () => {
    const read: string[] = [];
    const recordingNode = {
      ...node,
      lookup: Object.assign(Object.create(node.lookup) as typeof node.lookup, {
        bindings: (aor: Aor) => (read.push(aor.username), node.lookup.bindings(aor)),
      }),
    };
    for (const method of ["INVITE", "MESSAGE"]) {
      services.now += 1;
      const challenge = await routeFrom(method, bobUri);
      if (challenge.kind !== "reject") throw new Error("not challenged");
      await route(withCredentials(method, bobUri, {}, challenge, "alice"), aliceFlow, recordingNode);
      expect(read.splice(0).sort(), method).toEqual(method === "INVITE" ? ["alice", "bob"] : ["bob"]);
    }
  });

  it("P7: throws StoreUnavailable while the database is unavailable", async () => {
    services.store.isAway = true;
    await expect(routeFrom("INVITE", bobUri)).rejects.toThrow(StoreUnavailable);
  });
});

const aliceContact = "sip:alice@10.0.0.7:5060";
const bobContact = "sip:bob@192.0.2.2:5060";
const tokenParties: FlowToken = {
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

describe("a request in a dialog (rule 17)", () => {
  const fields = (): Fields => ({
    Route: `<sip:${sealToken(tokenParties, "call-1", "alice-1", services.tokenSeal)}@203.0.113.1:5060;lr>`,
    From: "<sip:alice@example.com>;tag=alice-1",
    To: "<sip:bob@example.com>;tag=bob-1",
  });

  it("is forwarded by its token to the other phone, without a challenge and with any Request-URI", async () => {
    const routing = await routeFrom("BYE", "sip:bob@10.9.9.9", fields(), flowOf("203.0.113.77", 1));
    expect(routing).toMatchObject({
      kind: "forward",
      caller: undefined,
      targets: [{ flow: bobFlow, uri: undefined }],
    });
  });

  it("is forwarded to the flow of the binding when no node receives from the flow in the token", async () => {
    const moved = flowOf("192.0.2.99", 9);
    services.store.addRow(bobAor, binding({ flow: moved, ownerNode: "cccccccccccc" }));
    expect(await routeFrom("BYE", "sip:bob@h", fields())).toMatchObject({
      targets: [{ flow: moved, ownerNode: "cccccccccccc" }],
    });
    services.reachable.add(bobFlow.key);
    expect(await routeFrom("BYE", "sip:bob@h", fields())).toMatchObject({ targets: [{ flow: bobFlow }] });
  });

  describe("§12.2.1.2: after a target refresh from another address (ADR 31)", () => {
    const movedFlow = flowOf("203.0.113.50", 6000);
    const movedContact = "sip:alice@10.9.0.1:5060";
    const byBob = (): Fields => ({
      ...fields(),
      From: "<sip:bob@example.com>;tag=bob-1",
      To: "<sip:alice@example.com>;tag=alice-1",
    });
    const targetOf = async (uri: string, by: Fields = byBob()) => {
      const routing = await routeFrom("BYE", uri, by, bobFlow);
      return routing.kind === "forward" ? routing.targets[0] : routing;
    };
    const refresh = (method: string, Contact: string | undefined = `<${movedContact}>`, source = movedFlow) =>
      routeFrom(method, bobContact, { ...fields(), Contact }, source);
    beforeEach(() => {
      services.reachable.add(aliceFlow.key);
      services.reachable.add(bobFlow.key);
    });

    it.each(["INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"])(
      "is forwarded to the new flow when its Request-URI is the contact of the %s",
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
        expect(await targetOf(aliceContact)).toMatchObject({ flow: aliceFlow }); // sent before the refresh was received
        const ack = requestOf("ACK", movedContact, byBob());
        expect(await routeAck(ack, node)).toMatchObject({ targets: [{ flow: movedFlow }] });
      },
    );

    it.each([
      ["another method", "BYE", `<${movedContact}>`, movedFlow],
      ["no Contact", "INVITE", undefined, movedFlow],
      ["the source address in the token", "INVITE", `<${movedContact}>`, aliceFlow],
    ] as const)(
      "is forwarded to the flow in the token when the refresh has %s",
      async (_, method, Contact, source) => {
        await routeFrom(method, bobContact, { ...fields(), Contact }, source);
        expect(await targetOf(movedContact)).toMatchObject({ flow: aliceFlow });
      },
    );

    it("is forwarded to the flow of the last refresh, or to the flow in the token by the first contact", async () => {
      await refresh("INVITE");
      await refresh("INVITE", "<sip:alice@10.9.0.2>", flowOf("203.0.113.51", 1));
      expect(await targetOf("sip:alice@10.9.0.2")).toMatchObject({ flow: { port: 1 } });
      expect(await targetOf(movedContact)).toMatchObject({ flow: aliceFlow });
      expect(await targetOf(aliceContact)).toMatchObject({ flow: aliceFlow });
    });

    it("is forwarded to the flow in the token when its Request-URI is not a contact of the phone", async () => {
      await refresh("INVITE");
      expect(await targetOf("sip:alice@203.0.113.50:6000")).toMatchObject({ flow: aliceFlow });
    });

    it("is forwarded as before when it belongs to another dialog or to the other direction", async () => {
      await refresh("INVITE");
      const others = { ...byBob(), From: "<sip:bob@example.com>;tag=bob-2" };
      expect(await targetOf(movedContact, others)).toMatchObject({ flow: aliceFlow });
      expect(await targetOf(movedContact, fields())).toMatchObject({ flow: bobFlow });
    });

    it("is forwarded to the binding of a phone that registered from a third flow, when only that flow is reachable", async () => {
      const registeredFlow = flowOf("192.0.2.70", 7);
      await routeFrom("INVITE", aliceContact, { ...byBob(), Contact: "<sip:bob@10.9.0.3>" }, movedFlow);
      services.store.addRow(bobAor, binding({ flow: registeredFlow }));
      expect(await targetOf("sip:bob@10.9.0.3", fields())).toMatchObject({ flow: movedFlow });
      services.reachable.add(registeredFlow.key);
      expect(await targetOf("sip:bob@10.9.0.3", fields())).toMatchObject({ flow: registeredFlow });
      services.reachable.add(movedFlow.key);
      expect(await targetOf("sip:bob@10.9.0.3", fields())).toMatchObject({ flow: movedFlow });
    });

    it("is forwarded to the last refreshed flow when neither flow is reachable", async () => {
      await refresh("INVITE");
      services.reachable.clear();
      expect(await targetOf(movedContact)).toMatchObject({ flow: movedFlow });
      expect(await targetOf(aliceContact)).toMatchObject({ flow: aliceFlow });
    });

    it("P7: is forwarded to the flow in the token while the database is unavailable", async () => {
      services.store.isAway = true;
      expect(await refresh("INVITE")).toMatchObject({ targets: [{ flow: bobFlow }] });
      expect(await targetOf(movedContact)).toMatchObject({ flow: aliceFlow });
    });

    it("causes no look-up when its Request-URI is the contact of the token", async () => {
      const lookedUp: string[] = [];
      const recordingNode = {
        ...node,
        lookup: Object.assign(Object.create(node.lookup) as typeof node.lookup, {
          dialogTarget: (id: string) => (lookedUp.push(id), node.lookup.dialogTarget(id)),
          bindingById: (id: string) => (lookedUp.push(id), node.lookup.bindingById(id)),
        }),
      };
      await route(requestOf("BYE", aliceContact, byBob()), bobFlow, recordingNode);
      expect(lookedUp).toEqual([]);
      await route(requestOf("BYE", movedContact, byBob()), bobFlow, recordingNode);
      expect(lookedUp).toHaveLength(1);
      services.reachable.clear();
      await route(requestOf("BYE", aliceContact, byBob()), bobFlow, recordingNode); // Alice has no binding
      expect(lookedUp).toHaveLength(2);
    });
  });

  it("is forwarded to the flow in the token when the binding on the new flow has expired", async () => {
    services.store.addRow(bobAor, binding({ flow: flowOf("192.0.2.99", 9), expiresIn: 0 }));
    expect(await routeFrom("BYE", "sip:bob@h", fields())).toMatchObject({ targets: [{ flow: bobFlow }] });
  });

  it("is forwarded to the flow in the token when there is no binding or the database is unavailable", async () => {
    services.store.now += 61;
    expect(await routeFrom("BYE", "sip:bob@h", fields())).toMatchObject({ targets: [{ flow: bobFlow }] });
    services.store.isAway = true;
    expect(await routeFrom("BYE", "sip:bob@h", fields())).toMatchObject({ targets: [{ flow: bobFlow }] });
  });

  it("§22.1, §22.3: is forwarded without repeated credentials for this proxy and with those for others, also when it is an ACK", async () => {
    const nonce = issueNonce(node.authenticator.keys, "call-1", services.now);
    const credentials = (realm: string, nonce: string) =>
      `Digest username="alice", realm="${realm}", nonce="${nonce}", uri="u", response="r", qop=auth, nc=1, cnonce="c"`;
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

  it("is forwarded without a served domain before the token, also when it is an ACK, and while the database is unavailable", async () => {
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

  it("is refused when a foreign Route is before the token, and is dropped when it is an ACK", async () => {
    const foreign = { ...fields(), Route: ["<sip:p.example.org;lr>", String(fields()["Route"])] };
    expect(await routeFrom("BYE", "sip:bob@h", foreign)).toMatchObject({ status: 403 });
    expect(await routeAck(requestOf("ACK", "sip:bob@h", foreign), node)).toBeUndefined();
  });

  it("§22.3: is forwarded without stale credentials for this proxy: expired ones, and those of another call", async () => {
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

  it("is forwarded to the flow in the token when the binding has expired and no flow is reachable", async () => {
    services.store.addRow(bobAor, binding({ flow: flowOf("192.0.2.99", 9), expiresIn: -1 }));
    expect(await routeFrom("BYE", "sip:bob@h", fields())).toMatchObject({ targets: [{ flow: bobFlow }] });
  });

  it("is validated before it is forwarded, and Max-Forwards 0 gets a 483", async () => {
    expect(await routeFrom("BYE", "sip:bob@h", { ...fields(), "Max-Forwards": "0" })).toMatchObject({
      status: 483,
    });
  });

  it("is forwarded by its token when it is an ACK, and is dropped without a valid token", async () => {
    const ack = requestOf("ACK", "sip:bob@10.9.9.9", fields());
    expect(await routeAck(ack, node)).toMatchObject({ targets: [{ flow: bobFlow }] });
    for (const bad of [
      { ...fields(), Route: undefined },
      { ...fields(), "Call-ID": "other" },
      { ...fields(), "Max-Forwards": "0" },
      { ...fields(), Route: String(fields()["Route"]).replace("sip:", "sips:") },
    ])
      expect(await routeAck(requestOf("ACK", bobUri, bad), node)).toBeUndefined();
  });
});

describe("§16.5, RFC 5589 §7: a Request-URI that is a phone's contact (ADR 30)", () => {
  const contact = "sip:carol@10.0.0.3:5070;line=x";
  const carolFlow = flowOf("198.51.100.9", 4712);
  const carolAor = { username: "carol", domain: "example.com" };
  const row = (change: Partial<Binding> = {}) =>
    binding({ id: "33", contact, flow: carolFlow, isBehindNat: true, ...change });
  const replacesField = { Replaces: "call-2;to-tag=a;from-tag=b" };

  it.each(["INVITE", "MESSAGE", "REFER"])("routes %s to the flow of that binding only", async (method) => {
    services.store.addRow(carolAor, row());
    services.store.addRow(carolAor, binding({ id: "34", contact: "sip:carol@10.0.0.4" }));
    const routing = await routeAs("alice", method, contact, replacesField);
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
  });

  it("gets a 404 when the contact is unknown, has expired, or belongs to a disabled user or domain", async () => {
    const nothing = { status: 404, reason: "Domain Not Served" };
    expect(await routeAs("alice", "INVITE", contact)).toMatchObject(nothing);
    services.store.addRow(carolAor, row({ expiresIn: 0 }));
    expect(await routeAs("alice", "INVITE", contact)).toMatchObject(nothing);
    services.store.addRow(carolAor, row());
    services.store.addUser("carol", "example.com", { password: "carol", isEnabled: false });
    expect(await routeAs("alice", "INVITE", contact)).toMatchObject(nothing);
    services.store.addDomain("off.example", { isEnabled: false });
    services.store.addUser("carol", "off.example", {});
    services.store.addRow({ username: "carol", domain: "off.example" }, row());
    expect(await routeAs("alice", "INVITE", contact)).toMatchObject(nothing);
  });

  it("gets a 404 when its user part, port or parameters differ from the contact", async () => {
    services.store.addRow(carolAor, row());
    for (const uri of ["sip:10.0.0.3:5070", "sip:carol@10.0.0.3", `${contact};transport=tcp`])
      expect(await routeAs("alice", "INVITE", uri), uri).toMatchObject({ status: 404 });
    expect(await routeAs("alice", "INVITE", "sips:carol@10.0.0.3:5070")).toMatchObject({ status: 416 });
  });

  it("causes the usual challenge for an unauthenticated caller", async () => {
    services.store.addRow(carolAor, row());
    expect(await routeFrom("INVITE", contact)).toMatchObject({ status: 407 });
    expect(await routeAs("alice", "INVITE", contact, {}, "wrong")).toMatchObject({ status: 407 });
  });

  it("routes to the user in the domain of the caller when users share the private contact, and gets a 404 when two are left", async () => {
    services.store.addDomain("other.example");
    services.store.addUser("carol", "other.example", {});
    const otherFlow = flowOf("198.51.100.10", 4713);
    services.store.addRow({ username: "carol", domain: "other.example" }, row({ id: "35", flow: otherFlow }));
    expect(await routeAs("alice", "INVITE", contact)).toMatchObject({ targets: [{ flow: otherFlow }] });
    services.store.addRow(carolAor, row());
    expect(await routeAs("alice", "INVITE", contact)).toMatchObject({ targets: [{ flow: carolFlow }] });
    services.store.addRow(bobAor, row({ id: "36" }));
    expect(await routeAs("alice", "INVITE", contact)).toMatchObject({ status: 404 });
  });

  it("routes to both bindings of one user with that contact", async () => {
    services.store.addRow(carolAor, row());
    services.store.addRow(carolAor, row({ id: "37", flow: bobFlow }));
    const routing = await routeAs("alice", "INVITE", contact);
    expect(routing.kind === "forward" && routing.targets.map(({ flow }) => flow.key).sort()).toEqual(
      [carolFlow.key, bobFlow.key].sort(),
    );
  });
});

describe("a request for user state, which this server does not have", () => {
  const aliceAor = { username: "alice", domain: "example.com" };
  beforeEach(() =>
    services.store.addRow(aliceAor, binding({ id: "30", contact: "sip:alice@10.0.0.1", flow: aliceFlow })),
  );

  it.each(["message-summary", "reg", "presence.winfo"])(
    "RFC 6665: gets a 489 when it is a SUBSCRIBE for %s to the caller's own address, with a registered phone or without",
    async (Event) => {
      expect(await routeAs("alice", "SUBSCRIBE", "sip:alice@example.com", { Event })).toMatchObject({
        status: 489,
      });
      services.store.now += 61;
      expect(await routeAs("alice", "SUBSCRIBE", "sip:alice@example.com", { Event })).toMatchObject({
        status: 489,
      });
    },
  );

  it("§21.4.6: gets a 405 without PUBLISH in Allow when it is a PUBLISH to the caller's own address", async () => {
    const answer = await routeAs("alice", "PUBLISH", "sip:alice@example.com", { Event: "presence" });
    expect(answer).toMatchObject({ status: 405 });
    expect(answer.kind === "reject" && answer.lines).toMatch(/^Allow: INVITE, (?!.*PUBLISH).*\r\n$/);
  });

  it("is refused for an alias of the caller too", async () => {
    services.store.addAlias({ username: "200", domain: "example.com" }, aliceAor);
    for (const method of ["SUBSCRIBE", "PUBLISH"])
      expect(await routeAs("alice", method, "sip:200@example.com"), method).toMatchObject({ kind: "reject" });
  });

  it("is forwarded when it is to another user, has another method, or is from a peer", async () => {
    for (const method of ["SUBSCRIBE", "PUBLISH"])
      expect(await routeAs("alice", method, bobUri), method).toMatchObject({ kind: "forward" });
    for (const method of ["INVITE", "MESSAGE", "NOTIFY", "OPTIONS"])
      expect(await routeAs("alice", method, "sip:alice@example.com"), method).toMatchObject({
        kind: "forward",
      });
    services.peers.add(aliceFlow.key);
    expect(await routeFrom("SUBSCRIBE", "sip:alice@example.com")).toMatchObject({ kind: "forward" });
  });

  it("is challenged first when the caller is not authenticated", async () => {
    expect(await routeFrom("PUBLISH", "sip:alice@example.com")).toMatchObject({ status: 407 });
  });
});

describe("§11.2: an OPTIONS to the exchange itself", () => {
  const options = (uri: string, fields: Fields = {}) =>
    answerOptions(requestOf("OPTIONS", uri, fields), node);

  it.each(["sip:203.0.113.1", "sip:203.0.113.1:5060", "sip:example.com"])(
    "gets a 200 with Allow and Accept for %s, without authentication",
    async (uri) => {
      const answer = await options(uri);
      expect(answer).toMatchObject({ status: 200 });
      expect(answer?.lines).toMatch(
        /^Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, MESSAGE, INFO, PRACK, UPDATE, REFER, SUBSCRIBE, NOTIFY, PUBLISH\r$/m,
      );
    },
  );

  it("gets a 404 for another host, and a 483 or 420 as any request", async () => {
    expect(await options("sip:unserved.example")).toMatchObject({ status: 404 });
    expect(await options("sip:example.com", { "Max-Forwards": "0" })).toMatchObject({ status: 483 });
    expect(await options("sip:example.com", { "Proxy-Require": "x" })).toMatchObject({ status: 420 });
  });

  it("is left to the proxy when it is to a user, or in a dialog with a contact without a user part", async () => {
    expect(await options(bobUri)).toBeUndefined();
    expect(await options("sip:192.0.2.2:5060", { To: "<sip:bob@example.com>;tag=bob-1" })).toBeUndefined();
  });
});
