/** The location service: coalesced reads, grouped commits (P1, P2). */
import { beforeEach, describe, expect, it } from "vitest";
import { MemoryLocation } from "../../../test/support/memory-location.ts";
import type { Aor } from "./account.ts";
import type { Binding, BindingChange } from "./binding.ts";
import { contactPlace } from "./contact-place.ts";
import { contactKey } from "./contact-key.ts";
import { Location } from "./location.ts";
import { StoreUnavailable } from "./location-store.ts";
import { wireText } from "../wire/wire-text.ts";
import { aorOf, rowText } from "./row-text.ts";
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
/** What the store was asked, call by call. */
let asked: unknown[];
beforeEach(() => {
  asked = [];
  store = new MemoryLocation();
  store.addDomain("example.com");
  store.addUser("bob", "example.com");
  location = new Location(
    {
      resolve: (names) => (asked.push(names), store.resolve(names)),
      bindings: (aors) => (asked.push(aors), store.bindings(aors)),
      bindingsById: (ids) => (asked.push(ids), store.bindingsById(ids)),
      bindingsByContact: (key, limit) => (asked.push([key, limit]), store.bindingsByContact(key, limit)),
      dialogTargets: (ids) => (asked.push(ids), store.dialogTargets(ids)),
      keepDialogTargets: (targets) => (
        asked.push(targets.map(({ sideId }) => sideId)), store.keepDialogTargets(targets)
      ),
      commit: (changes) => (asked.push(changes.map(({ aor }) => aor.username)), store.commit(changes)),
    },
    queueMicrotask,
  );
});

describe("reads", () => {
  it("of one turn are one question that names each thing once, and everybody gets his answer", async () => {
    const names = [bob, { ...bob, username: "x" }, bob];
    const answers = await Promise.all(names.map((name) => location.resolve(name)));
    expect(asked).toEqual([[bob, { ...bob, username: "x" }]]);
    expect(answers.map(({ account }) => account?.username)).toEqual(["bob", undefined, "bob"]);
  });

  it("nothing is answered from memory", async () => {
    await location.bindings(bob);
    await location.bindings(bob);
    expect(asked).toHaveLength(2);
  });

  it("a name longer than any row has no account, and its domain is still known", async () => {
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

  it("a domain that is no host is not asked for: not every table can compare it", async () => {
    expect(await location.resolve({ username: "bob", domain: "пример" })).toEqual({
      domain: undefined,
      account: undefined,
    });
    expect(asked).toEqual([]);
  });

  it("a database that is away is everybody's StoreUnavailable", async () => {
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
  it("of one turn are one group, sorted by address of record", async () => {
    const outcomes = await Promise.all(
      ["c", "a", "b"].map((username) => location.commit(change({ ...bob, username }))),
    );
    expect(asked).toEqual([["a", "b", "c"]]);
    expect(outcomes).toEqual(["committed", "committed", "committed"]);
  });

  it("two of one address of record in one group: the later one conflicts and is planned again", async () => {
    const outcomes = await Promise.all([
      location.commit(change(bob)),
      location.commit(change({ ...bob, username: "a" })),
      location.commit(change(bob)),
    ]);
    expect(outcomes).toEqual(["committed", "committed", "conflict"]);
    expect(await location.commit(change(bob, 1))).toBe("committed");
  });
});

it("by contact: one question for each, and nobody where more bindings have it than are looked at", async () => {
  const contact = "sip:10.0.0.1:5060";
  const add = (id: number) =>
    store.addRow({ ...bob, username: `u${id}` }, { ...anyBinding, id: String(id), contact });
  for (let id = 1; id <= maxSameContact; id++) add(id);
  const key = contactKey(contact);
  const [first, none] = await Promise.all([location.bindingsByContact(key), location.bindingsByContact("7")]);
  expect([first.length, none, asked]).toEqual([
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
  it("equal URIs have one key, whatever their spelling", () => {
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

  it("wire text and row text are each other's, bytes that are no UTF-8 are none", () => {
    expect(rowText(wireText("Grüße 日本"))).toBe("Grüße 日本");
    expect(rowText("\xff")).toBeUndefined();
    expect(rowText("\xc3")).toBeUndefined();
  });

  it.each([
    ["sip:b@192.0.2.1:5060", false],
    ["sip:b@192.0.2.1", false],
    ["sip:b@192.0.2.1:5062", true],
    ["sip:b@10.0.0.1", true],
    ["sip:b@phone.example.com", true],
    ["tel:1", true],
  ])("a contact %s from 192.0.2.1:5060 is behind NAT: %s", (contact, isBehindNat) => {
    expect(contactPlace({ uri: contact, regId: 0 }, flowOf("192.0.2.1", 5060), false).isBehindNat).toBe(
      isBehindNat,
    );
  });

  it("and one over IPv6 is not, whatever the case of its digits", () => {
    expect(
      contactPlace({ uri: "sip:b@[2001:DB8::1]:5060", regId: 0 }, flowOf("2001:db8::1", 5060), false)
        .isBehindNat,
    ).toBe(false);
  });
});
