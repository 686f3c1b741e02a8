/** The rows that a contact of a REGISTER changes (RFC 3261 §10.3 step 7, §19.1.4; docs/adr/0023). */
import { describe, expect, it } from "vitest";
import { defaultRegistration } from "../location/account.ts";
import { type Binding, isCurrent } from "../location/binding.ts";
import type { Contact } from "../wire/contact.ts";
import { type Flow, flowOf } from "../wire/flow.ts";
import { type AcceptedPlan, plan } from "./plan.ts";
import type { Registration } from "./registration.ts";

const home = flowOf("203.0.113.9", 40_001);
const office = flowOf("198.51.100.7", 40_002);
const desk: Contact = {
  uri: "sip:bob@192.168.1.10:5060",
  q: undefined,
  expires: undefined,
  instance: undefined,
  regId: 0,
};
const instance = "<urn:uuid:1>";

/** A user's rows, which each REGISTER changes. */
class Rows {
  rows: readonly Binding[] = [];
  #time = 1000;

  register(list: readonly Contact[], change: Partial<Registration> = {}): AcceptedPlan {
    this.#time += 1;
    const planned = plan(
      {
        aor: { username: "bob", domain: "example.com" },
        contacts: { kind: "list", contacts: list },
        expires: undefined,
        callId: "call-1",
        cseq: this.#time,
        userAgent: "desk phone",
        flow: home,
        isDirect: false,
        node: "aaaaaaaaaaaa",
        nonce: { at: this.#time, count: 1 },
        ...change,
      },
      this.rows,
      defaultRegistration,
    );
    if (planned.kind !== "accept") throw new Error(JSON.stringify(planned));
    const changed = new Set(planned.changed.map(({ id }) => id));
    this.rows = [...this.rows.filter(({ id }) => !changed.has(id)), ...planned.changed];
    return planned;
  }

  remove(uri: string, change: Partial<Registration> = {}, contact: Partial<Contact> = {}): AcceptedPlan {
    return this.register([{ ...desk, uri, ...contact, expires: 0 }], change);
  }

  /** Contact and source address of each current binding. */
  get bound(): string[] {
    return this.rows.filter(isCurrent).map(({ contact, flow }) => `${contact} ${flow.address}`);
  }
}
const bound = (contact: Partial<Contact> = {}, flow: Flow = home) =>
  `${contact.uri ?? desk.uri} ${flow.address}`;

describe("a contact that is added and one that is removed, in one request", () => {
  const next: Contact = { ...desk, uri: "sip:bob@10.0.0.5:5060", instance, regId: 1 };
  const old: Contact = { ...desk, instance, regId: 1, expires: 0 };

  it.each([
    ["the new one first", [next, old]],
    ["the old one first", [old, next]],
  ])("of one instance: the new one stays bound, %s", (_, list) => {
    const rows = new Rows();
    rows.register([{ ...old, expires: undefined }]);
    const { changed, current } = rows.register(list);
    expect(changed.map(({ contact, expiresIn }) => [contact, expiresIn > 0])).toEqual([[next.uri, true]]);
    expect(current.map(({ contact }) => contact)).toEqual([next.uri]);
    expect(rows.bound).toEqual([bound(next)]);
  });

  it.each([
    ["added first", [desk, { ...desk, expires: 0 }]],
    ["removed first", [{ ...desk, expires: 0 }, desk]],
  ])("that are the same contact: it stays bound, %s", (_, list) => {
    const rows = new Rows();
    rows.register([desk]);
    rows.register(list);
    expect(rows.bound).toEqual([bound()]);
  });

  it("without an instance: two bindings, one of which is removed", () => {
    const rows = new Rows();
    rows.register([desk]);
    const moved = { ...desk, uri: "sip:bob@10.0.0.5:5060" };
    rows.register([{ ...desk, expires: 0 }, moved]);
    expect(rows.bound).toEqual([bound(moved)]);
  });
});

describe("contacts that differ in a parameter", () => {
  const pairs = [
    [";rinstance=a", ";rinstance=b"],
    [";line=1", ";line=2"],
    [";ob", ""],
    [";rinstance=a", ""],
    [";a=1", ";b=1"],
    [";transport=udp", ""],
    [";x", ";x=1"],
    ["?subject=a", "?subject=b"],
  ] as const;

  it.each([...pairs, ...pairs.map(([a, b]) => [b, a] as const)])(
    "%j and %j are two bindings, and removing one leaves the other",
    (one, other) => {
      for (const callId of ["call-1", "call-2"]) {
        const rows = new Rows();
        rows.register([{ ...desk, uri: desk.uri + one }]);
        rows.register([{ ...desk, uri: desk.uri + other }], { callId });
        expect(rows.bound).toHaveLength(2);
        rows.remove(desk.uri + one);
        expect(rows.bound).toEqual([bound({ uri: desk.uri + other })]);
        rows.remove(desk.uri + one); // it is removed already: the other one does not match instead
        expect(rows.bound).toEqual([bound({ uri: desk.uri + other })]);
      }
    },
  );

  it.each([
    [";ob", ""],
    ["", ";rinstance=a"],
    [";TRANSPORT=udp;x=1", ";transport=UDP"],
  ])("%j is removed by an equal URI with %j, when no contact is identical", (one, other) => {
    const rows = new Rows();
    rows.register([{ ...desk, uri: desk.uri + one }]);
    rows.remove(desk.uri + other);
    expect(rows.bound).toEqual([]);
  });

  it.each([
    [";transport=tcp", ""],
    [";rinstance=a", ";rinstance=b"],
    ["", "?subject=a"],
  ])("%j is not removed by %j, which is not equal", (one, other) => {
    const rows = new Rows();
    rows.register([{ ...desk, uri: desk.uri + one }]);
    expect(rows.remove(desk.uri + other).changed).toEqual([]);
    expect(rows.bound).toHaveLength(1);
  });
});

describe("a phone that moved", () => {
  it.each([
    ["its Call-ID", "call-1"],
    ["another Call-ID", "call-2"],
  ])("removes its old private contact from its new address, with %s", (_, callId) => {
    const rows = new Rows();
    rows.register([desk]);
    const { changed } = rows.remove(desk.uri, { flow: office, callId });
    expect(changed).toMatchObject([{ contact: desk.uri, flow: home, expiresIn: 0, callId }]);
    expect(rows.bound).toEqual([]);
  });

  it("adds its new contact in the same request", () => {
    const rows = new Rows();
    rows.register([desk]);
    const next = { ...desk, uri: "sip:bob@10.0.0.5:5060" };
    rows.register([next, { ...desk, expires: 0 }], { flow: office });
    expect(rows.bound).toEqual([bound(next, office)]);
  });

  it("registers the same contact from there: its old binding is removed, and its old flow is released", () => {
    const rows = new Rows();
    rows.register([desk]);
    const { formerFlows } = rows.register([desk], { flow: office });
    expect(rows.bound).toEqual([bound(desk, office)]);
    expect(formerFlows.map(({ key }) => key)).toEqual([home.key]);
    rows.register([desk], { flow: home });
    expect(rows.bound).toEqual([bound(desk, home)]);
  });

  it("a phone that proves to be behind an address translator has no former flow: it has not moved", () => {
    const rows = new Rows();
    const direct = { ...desk, uri: `sip:bob@${home.address}:5060` };
    rows.register([direct], { isDirect: true });
    const [before] = rows.rows;
    rows.rows = rows.rows.map((row) => ({ ...row, flow: home }));
    const { formerFlows, current } = rows.register([direct], { isDirect: false });
    expect(before).toMatchObject({ isBehindNat: false });
    expect(current).toMatchObject([{ isBehindNat: true, flow: home }]);
    expect(formerFlows).toEqual([]);
  });

  it("back at its first address, removes its binding from the second one", () => {
    const rows = new Rows();
    rows.register([desk]);
    rows.register([desk], { flow: office });
    rows.remove(desk.uri, { flow: home });
    expect(rows.bound).toEqual([]);
  });

  it("a removal that is repeated on another node changes nothing, also when another phone has registered the same contact", () => {
    const rows = new Rows();
    rows.register([desk]);
    rows.remove(desk.uri, { flow: office, callId: "call-3", cseq: 7 });
    rows.register([desk], { flow: flowOf("198.51.100.99", 1), callId: "call-4" });
    expect(rows.remove(desk.uri, { flow: office, callId: "call-3", cseq: 7 }).changed).toEqual([]);
    expect(rows.bound).toHaveLength(1);
  });
});

describe("two phones with one private contact, behind two address translators", () => {
  const both = () => {
    const rows = new Rows();
    rows.register([desk]);
    rows.register([desk], { flow: office, callId: "call-2" });
    expect(rows.bound).toEqual([bound(desk, home), bound(desk, office)]);
    return rows;
  };

  it("each removes its own binding, and not the other's when its own is removed already", () => {
    const rows = both();
    rows.remove(desk.uri);
    rows.remove(desk.uri);
    expect(rows.bound).toEqual([bound(desk, office)]);
  });

  it("one that moved removes the binding of its Call-ID", () => {
    const rows = both();
    rows.remove(desk.uri, { flow: flowOf("192.0.2.99", 1), callId: "call-2" });
    expect(rows.bound).toEqual([bound(desk, home)]);
  });

  it("one that moved and has a new Call-ID removes both: they cannot be distinguished", () => {
    const rows = both();
    rows.remove(desk.uri, { flow: flowOf("192.0.2.99", 1), callId: "call-3" });
    expect(rows.bound).toEqual([]);
  });
});

describe("instances (RFC 5626 §6)", () => {
  const phone: Contact = { ...desk, instance, regId: 1 };

  it.each([
    ["another instance", { instance: "<urn:uuid:2>", regId: 1 }],
    ["another reg-id", { instance, regId: 2 }],
  ])("%s does not remove an equal contact", (_, contact) => {
    const rows = new Rows();
    rows.register([phone]);
    rows.remove(desk.uri, { flow: office }, contact);
    expect(rows.bound).toEqual([bound(phone)]);
  });

  it.each([
    ["without an instance", phone, {}],
    ["without its reg-id", phone, { instance }],
    ["with an instance, of a binding without one", desk, { instance, regId: 1 }],
  ])("a removal %s matches by the URI", (_, added, contact) => {
    const rows = new Rows();
    rows.register([added]);
    rows.remove(desk.uri, { flow: office }, contact);
    expect(rows.bound).toEqual([]);
  });

  it("a removal with the same instance and another contact removes the binding", () => {
    const rows = new Rows();
    rows.register([phone]);
    rows.remove("sip:bob@10.0.0.5:5060", { flow: office }, { instance, regId: 1 });
    expect(rows.bound).toEqual([]);
  });

  it("another instance with the same contact and Call-ID removes nothing", () => {
    const rows = new Rows();
    rows.register([phone]);
    rows.register([{ ...phone, instance: "<urn:uuid:2>" }], { flow: office });
    rows.register([desk], { flow: office });
    expect(rows.bound).toHaveLength(3);
  });
});

it("a binding has the id that its contact gives, whatever rows there are", () => {
  const same = { ...desk, uri: "sip:bob@192.168.1.10" };
  const contacts = [
    desk,
    same,
    { ...desk, instance },
    { ...desk, instance, regId: 1 },
    { ...same, regId: 1 },
  ];
  const flows = [home, flowOf(home.address, 40_009), office];
  const idOf = (rows: Rows, contact: Contact, change: Partial<Registration>) =>
    rows.register([contact], change).changed.find(isCurrent)?.id;
  const all = new Rows();
  for (const isDirect of [false, true])
    for (const flow of flows)
      for (const contact of contacts)
        for (const node of ["aaaaaaaaaaaa", "bbbbbbbbbbbb"]) {
          const change = { flow, isDirect, node };
          expect(idOf(all, contact, change)).toBe(idOf(new Rows(), contact, change));
        }
});

it("a row of another tool with this contact has an id of its own", () => {
  const rows = new Rows();
  const [binding] = rows.register([desk]).changed;
  rows.rows = [{ ...(binding as Binding), id: "7", ownerNode: "" }];
  expect(rows.register([desk]).changed.map(({ id }) => id)).toContain(binding?.id);
});
