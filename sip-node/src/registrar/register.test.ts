/** The processing of REGISTER, from challenge to 200 OK, on two nodes of one cluster (RFC 3261 §10.3; design-sip rules 11 to 16). */
import { beforeEach, describe, expect, it } from "vitest";
import {
  type ServiceDependencies,
  TestServices,
  withCredentials,
} from "../../../test/support/test-services.ts";
import { type Fields, requestOf } from "../../../test/support/sip-message.ts";
import { StoreUnavailable } from "../location/location-store.ts";
import { type Flow, flowOf } from "../wire/flow.ts";
import { register } from "./register.ts";

const uri = "sip:example.com";
const phone = flowOf("192.0.2.1", 5060);
const bob: Fields = { From: "<sip:bob@example.com>;tag=1", To: "<sip:bob@example.com>", "Call-ID": "reg-1" };
const contact = "<sip:bob@192.0.2.1:5060>";

let services: TestServices;
let a: ServiceDependencies;
let b: ServiceDependencies;
beforeEach(() => {
  services = new TestServices();
  services.store.addDomain("example.com");
  services.store.addUser("bob", "example.com", { password: "bob" });
  a = services.dependencies("aaaaaaaaaaaa");
  b = services.dependencies("bbbbbbbbbbbb");
});

/** The final response: challenged by `first`, with credentials to `second`. */
async function registered(
  fields: Fields,
  first = a,
  second = b,
  flow: Flow = phone,
  user = "bob",
  password = "bob",
) {
  const rejection = await register(requestOf("REGISTER", uri, fields), flow, first);
  if (rejection.kind !== "reject" || rejection.status !== 401) return rejection;
  services.now += 1;
  return register(withCredentials("REGISTER", uri, fields, rejection, user, password), flow, second);
}
const contacts = (lines: string) => lines.match(/^Contact: .*$/gm) ?? [];
const ids = async () =>
  (await a.lookup.bindings({ username: "bob", domain: "example.com" })).bindings.map((row) => row.contact);

describe("steps 3 and 4: authentication and authorization", () => {
  it("without credentials: 401 with a challenge, nothing stored", async () => {
    const answer = await register(requestOf("REGISTER", uri, { ...bob, Contact: contact }), phone, a);
    expect(answer).toMatchObject({ kind: "reject", status: 401 });
    expect(answer.lines).toMatch(/^WWW-Authenticate: Digest realm="example.com", /);
    expect(await ids()).toEqual([]);
  });

  it("with the password: 200 on the other node, with the binding, Date, and the row committed", async () => {
    const answer = await registered({ ...bob, Contact: contact, Expires: "600" });
    expect(answer).toMatchObject({ kind: "accept", status: 200 });
    expect(contacts(answer.lines)).toEqual([`Contact: ${contact};expires=600`]);
    expect(answer.lines).toMatch(/^Date: .* GMT\r\n$/m);
    const [row] = (await a.lookup.bindings({ username: "bob", domain: "example.com" })).bindings;
    expect(row).toMatchObject({ flow: phone, ownerNode: "bbbbbbbbbbbb", nonceCount: 1 });
  });

  it.each([
    ["a wrong password: 401 again", "bob", "wrong", 401],
    ["another user's valid credentials: a final 403 (step 4)", "carol", "carol", 403],
    ["another user's wrong password: 401 again", "carol", "wrong", 401],
  ])("%s", async (_, user, password, status) => {
    services.store.addUser("carol", "example.com", { password: "carol" });
    for (const To of [bob["To"], "<sip:ghost@example.com>"])
      expect(await registered({ ...bob, To, Contact: contact }, a, b, phone, user, password)).toMatchObject({
        status,
      });
    expect(await ids()).toEqual([]);
  });

  it("an empty or incomplete Authorization is challenged", async () => {
    for (const Authorization of [
      "",
      "Digest",
      'Digest username="bob"',
      'Digest username="bob@example.com", realm="example.com", nonce="", uri="sip:example.com", response=""',
    ])
      expect(
        await register(requestOf("REGISTER", uri, { ...bob, Contact: contact, Authorization }), phone, a),
        Authorization,
      ).toMatchObject({ status: 401 });
  });

  it("the user name may contain the domain, and one of several Authorization header fields must be valid", async () => {
    services.store.addDomain("alias.example", { aliasOf: "example.com" });
    const fields = { ...bob, Contact: contact };
    for (const login of ["bob@example.com", "bob@alias.example", "bob@EXAMPLE.com"])
      expect((await registered(fields, a, b, phone, login, "bob")).status, login).toBe(200);
    expect((await registered(fields, a, b, phone, "bob@elsewhere.example", "bob")).status).toBe(401);
    const rejection = await register(requestOf("REGISTER", uri, fields), phone, a);
    services.now += 1;
    const [wrong, right] = ["x", "bob"].map((password) =>
      withCredentials("REGISTER", uri, fields, rejection, "bob", password),
    );
    const values = [wrong, right].map((one) => /^Authorization: (.*)$/m.exec(one?.text ?? "")?.[1] ?? "");
    for (const Authorization of [values, [...values].reverse()])
      expect(
        (
          await register(
            requestOf("REGISTER", uri, { ...fields, Authorization }),
            phone,
            services.dependencies(),
          )
        ).status,
      ).toBe(200);
  });

  it("the response for an unknown or a disabled user is the same as for a wrong password (rule 15)", async () => {
    services.store.addUser("off", "example.com", { password: "off", isEnabled: false });
    for (const user of ["ghost", "off"]) {
      const fields = { ...bob, To: `<sip:${user}@example.com>`, Contact: contact };
      const first = await register(requestOf("REGISTER", uri, fields), phone, a);
      const second = await register(withCredentials("REGISTER", uri, fields, first, user), phone, a);
      const shape = (lines: string) => lines.replace(/nonce="[^"]*"/, "");
      const known = await register(requestOf("REGISTER", uri, bob), phone, a);
      for (const answer of [first, second]) {
        expect(answer.status, user).toBe(401);
        expect(shape(answer.lines), user).toBe(shape(known.lines));
      }
    }
  });

  it("§26.2.2: sips is refused with 416, as Request-URI, To or Contact; a sips contact can be removed", async () => {
    for (const [requestUri, fields] of [
      ["sips:example.com", bob],
      [uri, { ...bob, To: "<sips:bob@example.com>" }],
    ] as const)
      expect(await register(requestOf("REGISTER", requestUri, fields), phone, a)).toMatchObject({
        status: 416,
      });
    for (const fields of [
      { Contact: "<sips:bob@192.0.2.1>" },
      { Contact: [contact, "<SIPS:bob@192.0.2.1>"] },
      { Contact: "<sips:bob@192.0.2.1>;expires=60", Expires: "0" },
    ])
      expect(await registered({ ...bob, ...fields })).toMatchObject({ status: 416 });
    expect(await ids()).toEqual([]);
    for (const fields of [
      { Contact: "<sips:bob@192.0.2.1>;expires=0" },
      { Contact: "<sips:bob@192.0.2.1>", Expires: "0", CSeq: "2 REGISTER" },
      { Contact: "*", Expires: "0", CSeq: "3 REGISTER" },
    ])
      expect(await registered({ ...bob, ...fields })).toMatchObject({ status: 200 });
  });

  it("rule 11: To is registered, and From must be the same user or an alias of it", async () => {
    for (const from of [
      "<sip:carol@elsewhere.example>;tag=1",
      "<sip:alice@example.com>;tag=1",
      "<tel:+1>;tag=1",
    ])
      expect((await registered({ ...bob, From: from, Contact: contact })).status, from).toBe(403);
    services.store.addAlias(
      { username: "100", domain: "example.com" },
      { username: "bob", domain: "example.com" },
    );
    const alias = { ...bob, From: "<sip:100@example.com>;tag=1", Contact: contact };
    expect((await registered(alias)).status).toBe(200);
  });

  it("an alias registers its user's binding with its user's password", async () => {
    services.store.addAlias(
      { username: "100", domain: "example.com" },
      { username: "bob", domain: "example.com" },
    );
    expect((await registered({ ...bob, To: "<sip:100@example.com>", Contact: contact })).status).toBe(200);
    expect(await ids()).toEqual(["sip:bob@192.0.2.1:5060"]);
  });

  it("rule 15: a peer is challenged too, and needs the user's password to add or remove a contact", async () => {
    services.peers.add(phone.key);
    const answer = await register(requestOf("REGISTER", uri, { ...bob, Contact: contact }), phone, a);
    expect(answer).toMatchObject({
      status: 401,
      lines: expect.stringMatching(/^WWW-Authenticate: /) as string,
    });
    expect((await registered({ ...bob, Contact: contact }, a, b, phone, "bob", "wrong")).status).toBe(401);
    expect(await ids()).toEqual([]);
    expect((await registered({ ...bob, Contact: contact })).status).toBe(200);
    const removal = { ...bob, CSeq: "9 REGISTER", Contact: "*", Expires: "0" };
    expect((await register(requestOf("REGISTER", uri, removal), phone, a)).status).toBe(401);
    expect(await ids()).toEqual(["sip:bob@192.0.2.1:5060"]);
  });

  it("a peer cannot register for another user: From is compared with To", async () => {
    services.peers.add(phone.key);
    const third = { ...bob, From: "<sip:alice@example.com>;tag=1", Contact: contact };
    expect((await registered(third)).status).toBe(403);
  });
});

describe("steps 1, 2 and 5: domain, extensions, address of record", () => {
  const refused = async (requestUri: string, fields: Fields) =>
    register(requestOf("REGISTER", requestUri, { ...bob, ...fields }), phone, a);

  it("a domain that is not served, in To or in the Request-URI: 404 with a Warning that names it, no challenge", async () => {
    for (const answer of [
      await refused("sip:unserved.example", { To: "<sip:bob@unserved.example>" }),
      await refused("sip:unserved.example", {}),
    ]) {
      expect(answer.status).toBe(404);
      expect(answer.lines).toBe('Warning: 399 strowger "The domain unserved.example is not served here"\r\n');
    }
  });

  it("a domain that is disabled is not served", async () => {
    services.store.addDomain("off.example", { isEnabled: false });
    expect((await refused("sip:off.example", { To: "<sip:bob@off.example>" })).status).toBe(404);
  });

  it("the Request-URI may be the own address, or another served domain", async () => {
    services.store.addDomain("second.example");
    for (const requestUri of [
      "sip:203.0.113.1",
      "sip:203.0.113.1:5060",
      "sip:second.example",
      "sip:EXAMPLE.com",
    ])
      expect((await refused(requestUri, {})).status, requestUri).toBe(401);
    expect((await refused("sip:203.0.113.1:5061", {})).status).toBe(404);
  });

  it.each([
    [416, "tel:+49", {}],
    [416, uri, { To: "<tel:+49>" }],
    [400, uri, { To: "<sip:example.com>" }],
    [400, uri, { To: "<sip:b%ff@example.com>" }],
    [400, "sip:exa%20mple.com", {}],
  ])("%i for %s with %j", async (status, requestUri, fields) => {
    expect((await refused(requestUri, fields)).status).toBe(status);
  });

  it("step 2: Require is refused with 420 and Unsupported", async () => {
    expect(await refused(uri, { Require: "path, gruu" })).toMatchObject({
      status: 420,
      lines: "Unsupported: path, gruu\r\n",
    });
  });
});

describe("steps 6 to 8 over both nodes", () => {
  const next = (cseq: number, more: Fields): Fields => ({
    ...bob,
    CSeq: `${cseq} REGISTER`,
    Contact: contact,
    ...more,
  });

  it("refresh, second contact, fetch, remove one, remove all", async () => {
    await registered(next(1, {}));
    services.store.now += 10;
    const two = await registered(
      next(2, { Contact: "<sip:bob@192.0.2.1:5060;line=2>;expires=60;q=0.5" }),
      b,
      a,
    );
    expect(contacts(two.lines)).toHaveLength(2);
    await registered(next(3, { Contact: "<sip:b2@192.0.2.1:5060>;expires=60;q=0.5" }), b, a);
    const fetched = await registered(next(4, { Contact: undefined }));
    expect(contacts(fetched.lines)).toEqual([
      "Contact: <sip:bob@192.0.2.1:5060>;expires=3590",
      "Contact: <sip:bob@192.0.2.1:5060;line=2>;expires=60;q=0.5",
      "Contact: <sip:b2@192.0.2.1:5060>;expires=60;q=0.5",
    ]);
    const removed = await registered(next(5, { Contact: "<sip:bob@192.0.2.1:5060>;expires=0" }));
    expect(contacts(removed.lines)).toHaveLength(2);
    const all = await registered(next(6, { Contact: "*", Expires: "0" }));
    expect(contacts(all.lines)).toEqual([]);
  });

  it("a retransmission to the other node is answered from the rows", async () => {
    const rejection = await register(requestOf("REGISTER", uri, next(1, {})), phone, a);
    const request = withCredentials("REGISTER", uri, next(2, {}), rejection, "bob");
    const first = await register(request, phone, a);
    expect((await register(request, phone, b)).lines).toBe(first.lines);
    expect((await a.lookup.bindings({ username: "bob", domain: "example.com" })).version).toBe(1);
  });

  it("a repeated REGISTER, and a query, are answered after the copies of all nodes have what the response lists", async () => {
    const confirmed: number[] = [];
    const lookup = Object.assign(Object.create(b.lookup) as typeof b.lookup, {
      confirm: async (_: unknown, { version }: { readonly version: number }) => void confirmed.push(version),
    });
    const node = { ...b, lookup };
    const rejection = await register(requestOf("REGISTER", uri, next(1, {})), phone, a);
    const request = withCredentials("REGISTER", uri, next(2, {}), rejection, "bob");
    expect((await register(request, phone, a)).status).toBe(200);
    expect((await register(request, phone, node)).status).toBe(200);
    services.now += 1; // for another nonce
    await registered(next(3, { Contact: undefined }), a, node);
    expect(confirmed).toEqual([1, 1]);
  });

  it("rule 16: used credentials with another CSeq get stale=true on every node, and a new nonce is accepted", async () => {
    const rejection = await register(requestOf("REGISTER", uri, next(1, {})), phone, a);
    expect(
      (await register(withCredentials("REGISTER", uri, next(2, {}), rejection, "bob"), phone, a)).status,
    ).toBe(200);
    services.now += 1;
    const replay = await register(withCredentials("REGISTER", uri, next(3, {}), rejection, "bob"), phone, b);
    expect(replay.status).toBe(401);
    expect(replay.lines).toContain("stale=true");
    services.now += 1;
    const retry = register(
      withCredentials("REGISTER", uri, next(4, {}), { ...replay, status: 401 }, "bob"),
      phone,
      b,
    );
    expect((await retry).status).toBe(200);
  });

  it("an invalid Contact is refused with 400, after authentication only", async () => {
    const bad = next(1, { Contact: "<sip:bob@192.0.2.1>;q=9" });
    expect((await register(requestOf("REGISTER", uri, bad), phone, a)).status).toBe(401);
    expect((await registered(bad)).status).toBe(400);
  });

  it("a contact that no row can hold is refused with 400, and does not affect other requests", async () => {
    const bytes = Buffer.from([0xff, 0xfe]).toString("latin1");
    expect((await registered(next(1, { Contact: `<sip:bob@192.0.2.1;x=${bytes}>` }))).status).toBe(400);
  });

  it("two nodes change the bindings at the same time: each response lists the committed bindings (rule 12)", async () => {
    const fields = (n: number) => ({
      ...bob,
      "Call-ID": `reg-${n}`,
      Contact: `<sip:line${n}@192.0.2.1:5060>`,
    });
    const answers = await Promise.all(
      [1, 2, 3, 4].map((n) => registered(fields(n), n % 2 ? a : b, n % 2 ? a : b)),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await ids()).toHaveLength(4);
    expect(Math.max(...answers.map(({ lines }) => contacts(lines).length))).toBe(4);
  });

  it("maxContacts phones register at the same time on two nodes: each gets a 200", async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => {
        const node = n % 2 ? a : b;
        const fields = { ...bob, "Call-ID": `reg-${n}`, Contact: `<sip:line${n}@192.0.2.1:5060>` };
        return registered(fields, node, node);
      }),
    );
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(await ids()).toHaveLength(10);
  });

  it.each([
    ["Reject", [200, 200, 500, 500]],
    ["ReplaceOldest", [200, 200, 200, 200]],
  ] as const)(
    "maxContacts holds across nodes, also for concurrent requests: %s",
    async (onMaxContacts, statuses) => {
      services.store.addDomain("example.com", { onMaxContacts });
      services.store.addUser("bob", "example.com", { password: "bob", maxContacts: 2 });
      const fields = (n: number) => ({
        ...bob,
        "Call-ID": `reg-${n}`,
        Contact: `<sip:line${n}@192.0.2.1:5060>`,
      });
      const answers = await Promise.all(
        [1, 2, 3, 4].map((n) => registered(fields(n), n % 2 ? a : b, n % 2 ? a : b)),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual(statuses);
      const { bindings: rows } = await a.lookup.bindings({ username: "bob", domain: "example.com" });
      expect(rows.filter(({ expiresIn }) => expiresIn > 0)).toHaveLength(2);
    },
  );

  it("flowExpiresIn is the remaining time of the binding on the request's own flow; 0 for a fetch from another flow", async () => {
    const flowExpiresIn = async (number: number, fields: Fields, flow: Flow) => {
      const answer = await registered(next(number, fields), a, b, flow);
      return answer.kind === "accept" ? answer.flowExpiresIn : answer.status;
    };
    expect(await flowExpiresIn(1, { Contact: contact, Expires: "600" }, phone)).toBe(600);
    expect(await flowExpiresIn(2, { Contact: undefined }, flowOf("198.51.100.9", 4711))).toBe(0);
    expect(await flowExpiresIn(3, { Contact: `${contact};expires=0` }, phone)).toBe(0);
  });

  it("a phone that registers from another flow has a former flow", async () => {
    const instance = '<sip:bob@10.0.0.5>;+sip.instance="<urn:uuid:1>"';
    await registered(next(1, { Contact: instance }));
    const moved = await registered(next(2, { Contact: instance }), a, b, flowOf("198.51.100.9", 4711));
    expect(moved.kind === "accept" && moved.formerFlows.map(({ key }) => key)).toEqual([phone.key]);
  });

  it("a binding that the database refuses is answered with 500 and Retry-After, never with 200 (P1)", async () => {
    services.store.commit = async (changes) => changes.map(() => ({ failed: "no room" }));
    expect(await registered(next(1, {}))).toMatchObject({
      status: 500,
      lines: expect.stringMatching(/^Retry-After: \d+/) as string,
    });
  });

  it("endless version conflicts end with 500 after a limited number of attempts (rule 12)", async () => {
    let attempts = 0;
    services.store.commit = async (changes) => (attempts++, changes.map(() => "conflict"));
    expect(await registered(next(1, {}))).toMatchObject({ status: 500, lines: "Retry-After: 1\r\n" });
    expect(attempts).toBeGreaterThan(1);
    expect(attempts).toBeLessThan(50);
  });

  it("P7: it rejects while the database is unavailable, and the caller answers 500", async () => {
    services.store.isAway = true;
    await expect(register(requestOf("REGISTER", uri, bob), phone, a)).rejects.toThrow(StoreUnavailable);
  });
});
