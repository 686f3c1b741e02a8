/** The location service: coalesced reads, grouped commits (P1, P2). */
import { beforeEach, describe, expect, it } from "vitest";
import { locationDependencies } from "../../../test/support/location-dependencies.ts";
import { MemoryLocation } from "../../../test/support/memory-location.ts";
import type { Aor } from "./account.ts";
import type { Binding, BindingChange } from "./binding.ts";
import { flowOfContact } from "./flow-of-contact.ts";
import { contactKey } from "./contact-key.ts";
import { Location } from "./location.ts";
import { StoreUnavailable } from "./location-store.ts";
import { toWireText } from "../wire/wire-text.ts";
import { aorOf, toRowText } from "./row-text.ts";
import { flowOf } from "../wire/flow.ts";
import { maxSameContact } from "../wire/limits.ts";
import { isProblem } from "../wire/problem.ts";
import { parseUri } from "../wire/uri.ts";

const bob: Aor = { username: "bob", domain: "example.com" };
const anyBinding: Binding = {
  id: "1",
  contact: "sip:bob@10.0.0.1",
  q: 1000,
  callId: "c",
  cseq: 1,
  expiresIn: 60,
  flow: flowOf("198.51.100.7", 4711),
  isBehindNat: true,
  ownerNode: "",
  userAgent: "",
  instance: undefined,
  regId: 0,
  nonceAt: 0,
  nonceCount: 0,
  registeredAt: 0,
};
const change = (aor: Aor, version = 0): BindingChange => ({ aor, version, bindings: [] });

let store: MemoryLocation;
let location: Location;
/** The arguments of each call of the store. */
let calls: unknown[];
beforeEach(() => {
  calls = [];
  store = new MemoryLocation();
  store.addDomain("example.com");
  store.addUser("bob", "example.com");
  location = new Location(
    {
      resolve: (names) => (calls.push(names), store.resolve(names)),
      bindings: (aors) => (calls.push(aors), store.bindings(aors)),
      bindingsById: (ids) => (calls.push(ids), store.bindingsById(ids)),
      bindingsByContact: (key, limit) => (calls.push([key, limit]), store.bindingsByContact(key, limit)),
      accountChanges: () => store.accountChanges(),
      names: (kind, after, limit) => store.names(kind, after, limit),
      dialogTargets: (ids) => (calls.push(ids), store.dialogTargets(ids)),
      storeDialogTargets: (targets) => (
        calls.push(targets.map(({ sideId }) => sideId)), store.storeDialogTargets(targets)
      ),
      commit: (changes) => (calls.push(changes.map(({ aor }) => aor.username)), store.commit(changes)),
    },
    locationDependencies(),
  );
});

describe("reads", () => {
  it("of one turn of the event loop are one call with each name once, and each caller gets its answer", async () => {
    const names = [bob, { ...bob, username: "x" }, bob];
    const answers = await Promise.all(names.map((name) => location.resolve(name)));
    expect(calls).toEqual([[bob, { ...bob, username: "x" }]]);
    expect(answers.map(({ account }) => account?.username)).toEqual(["bob", undefined, "bob"]);
  });

  it("nothing is answered from memory while the protocol does not say that the copy is current", async () => {
    await location.commit(change(bob));
    calls = [];
    await location.bindings(bob);
    await location.bindings(bob);
    expect(calls).toHaveLength(2);
  });

  it("a name that is too long for a row has no account, and its domain is found", async () => {
    const long = { username: "b".repeat(65), domain: "example.com" };
    expect(await location.resolve(long)).toMatchObject({
      domain: { name: "example.com" },
      account: undefined,
    });
    expect(await location.resolve({ username: "b", domain: "d".repeat(65) })).toEqual({
      domain: undefined,
      account: undefined,
    });
  });

  it("a domain that is not a host is not looked up: some tables cannot compare it", async () => {
    expect(await location.resolve({ username: "bob", domain: "пример" })).toEqual({
      domain: undefined,
      account: undefined,
    });
    expect(calls).toEqual([]);
  });

  it("all reject with StoreUnavailable while the database is unavailable", async () => {
    store.isAway = true;
    for (const one of [
      location.resolve(bob),
      location.bindings(bob),
      location.bindingById("1"),
      location.commit(change(bob)),
    ])
      await expect(one).rejects.toThrow(StoreUnavailable);
  });
});

describe("commits", () => {
  it("of one turn of the event loop are one group, sorted by address of record", async () => {
    const outcomes = await Promise.all(
      ["c", "a", "b"].map((username) => location.commit(change({ ...bob, username }))),
    );
    expect(calls).toEqual([["a", "b", "c"]]);
    expect(outcomes).toEqual(["committed", "committed", "committed"]);
  });

  it("that begin within 12 ms are one group, but for the first one, and a read does not wait", async () => {
    const delays: number[] = [];
    const one = new Location(store, {
      ...locationDependencies({ now: () => 1_000 }),
      defer: (act, delay) => (delays.push(delay), queueMicrotask(act)),
    });
    await one.commit(change(bob));
    await one.commit(change(bob, 1));
    await one.resolve(bob);
    expect(delays.filter((delay) => delay > 0)).toEqual([12]);
  });

  it("two of one address of record in one group: the later one conflicts", async () => {
    const outcomes = await Promise.all([
      location.commit(change(bob)),
      location.commit(change({ ...bob, username: "a" })),
      location.commit(change(bob)),
    ]);
    expect(outcomes).toEqual(["committed", "committed", "conflict"]);
    expect(await location.commit(change(bob, 1))).toBe("committed");
  });
});

it("bindings by contact: one call for each key, and an empty list when more bindings than the limit have it", async () => {
  const contact = "sip:10.0.0.1:5060";
  const add = (id: number) =>
    store.addRow({ ...bob, username: `u${id}` }, { ...anyBinding, id: String(id), contact });
  for (let id = 1; id <= maxSameContact; id++) add(id);
  const key = contactKey(contact);
  const [first, none] = await Promise.all([location.bindingsByContact(key), location.bindingsByContact("7")]);
  expect([first.length, none, calls]).toEqual([
    maxSameContact,
    [],
    [
      [key, maxSameContact + 1],
      ["7", maxSameContact + 1],
    ],
  ]);
  add(maxSameContact + 1);
  expect(await location.bindingsByContact(key)).toEqual([]);
});

describe("names and contacts", () => {
  it("equal URIs have the same key", () => {
    for (const [one, other] of [
      ["sip:bob@[2001:db8::5]:5060", "sip:bob@[2001:DB8:0:0:0:0:0:5]"],
      ["sip:b%6fb@H.example", "SIP:bob@h.EXAMPLE:5060;ob"],
    ] as const)
      expect(contactKey(one)).toBe(contactKey(other));
    expect(contactKey("sip:bob@[2001:db8::5]")).not.toBe(contactKey("sip:bob@[2001:db8::6]"));
  });

  it.each([
    ["sip:bob@EXAMPLE.com:5060", { username: "bob", domain: "example.com" }],
    ["sip:%62%6fb@example.com", { username: "bob", domain: "example.com" }],
    ["sip:b%C3%B6b@example.com", { username: "böb", domain: "example.com" }],
    ["sip:b%FFb@example.com", undefined],
    ["sip:example.com", undefined],
  ])("§10.3 step 5: the address of record of %s", (text, aor) => {
    const uri = parseUri(text);
    expect(isProblem(uri) ? uri : aorOf(uri)).toEqual(aor);
  });

  it("wire text becomes the same row text again; bytes that are not UTF-8 become none", () => {
    expect(toRowText(toWireText("Grüße 日本"))).toBe("Grüße 日本");
    expect(toRowText("\xff")).toBeUndefined();
    expect(toRowText("\xc3")).toBeUndefined();
  });

  it.each([
    ["sip:b@192.0.2.1:5060", false],
    ["sip:b@192.0.2.1", false],
    ["sip:b@192.0.2.1:5062", true],
    ["sip:b@10.0.0.1", true],
    ["sip:b@phone.example.com", true],
    ["tel:1", true],
  ])("a contact %s from 192.0.2.1:5060 is behind NAT: %s", (contact, isBehindNat) => {
    expect(flowOfContact({ uri: contact, regId: 0 }, flowOf("192.0.2.1", 5060), false).isBehindNat).toBe(
      isBehindNat,
    );
  });

  it("a contact with the IPv6 source address is not behind NAT, in upper or lower case", () => {
    expect(
      flowOfContact({ uri: "sip:b@[2001:DB8::1]:5060", regId: 0 }, flowOf("2001:db8::1", 5060), false)
        .isBehindNat,
    ).toBe(false);
  });
});
