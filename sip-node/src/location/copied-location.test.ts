/** The location service with a copy: what it answers without the database, what it announces, and what it does while the database is away. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { locationDependencies } from "../../../test/support/location-dependencies.ts";
import { MemoryLocation } from "../../../test/support/memory-location.ts";
import { flowOf } from "../wire/flow.ts";
import type { Aor } from "./account.ts";
import { type Binding, isCurrent as isCurrentBinding } from "./binding.ts";
import { decodeChanges, encodeChanges } from "./change-encoding.ts";
import type { PlannedChange } from "./binding-changes.ts";
import { Location } from "./location.ts";
import type { LookupResult } from "./lookup.ts";
import { type LocationStore, StoreUnavailable } from "./location-store.ts";

const bob: Aor = { username: "bob", domain: "example.com" };
const binding = (id: string, expiresIn = 60): Binding => ({
  id,
  contact: `sip:bob@10.0.0.${id}`,
  q: 1000,
  callId: "c",
  cseq: 1,
  expiresIn,
  flow: flowOf("198.51.100.7", 4711),
  isBehindNat: true,
  ownerNode: "aaaaaaaaaaaa",
  userAgent: "phone",
  instance: undefined,
  regId: 0,
  nonceAt: 0,
  nonceCount: 0,
  registeredAt: 0,
});
const change = (version: number, ...bindings: Binding[]): PlannedChange => ({
  aor: bob,
  version,
  bindings,
  others: [],
});

let store: MemoryLocation;
let location: Location;
let now: number;
let isCurrent: boolean;
/** The names of the store's methods that were called, without polls. */
let calls: string[];
let results: LookupResult[];
/** Announced changes, and how to acknowledge each. */
let announced: { readonly bytes: Uint8Array; readonly acknowledge: () => void }[];
/** A statement does not end before this. */
let answer: Promise<unknown>;

beforeEach(async () => {
  store = new MemoryLocation();
  store.addDomain("example.com");
  store.addUser("bob", "example.com");
  store.addAlias({ ...bob, username: "100" }, bob);
  now = 1_000;
  isCurrent = true;
  calls = [];
  results = [];
  announced = [];
  answer = Promise.resolve();
  const record = <Args extends unknown[], Answer>(name: string, act: (...args: Args) => Promise<Answer>) => {
    return async (...args: Args) => {
      if (name !== "poll") calls.push(name);
      await answer;
      return act(...args);
    };
  };
  const recorded: LocationStore = {
    resolve: record("resolve", (names) => store.resolve(names)),
    bindings: record("bindings", (aors) => store.bindings(aors)),
    bindingsById: record("byId", (ids) => store.bindingsById(ids)),
    bindingsByContact: record("byContact", (key, limit) => store.bindingsByContact(key, limit)),
    accountChanges: record("poll", () => store.accountChanges()),
    names: record("names", (kind, after, limit) => store.names(kind, after, limit)),
    dialogTargets: record("dialog", (ids) => store.dialogTargets(ids)),
    storeDialogTargets: record("storeDialog", (targets) => store.storeDialogTargets(targets)),
    commit: record("commit", (changes) => store.commit(changes)),
  };
  location = new Location(
    recorded,
    locationDependencies({
      now: () => now,
      epoch: () => store.now * 1000,
      protocol: {
        isCurrent: () => isCurrent,
        announce: (bytes) => new Promise((resolve) => announced.push({ bytes, acknowledge: resolve })),
      },
      lookedUp: (_, result) => results.push(result),
    }),
  );
  await pass(100);
});

const turn = () => new Promise((resolve) => setImmediate(resolve));
/** Ticks each 20 ms. */
async function pass(duration: number) {
  for (const end = now + duration; now < end; ) {
    now += 20;
    location.advance(now);
    await turn();
  }
}
const acknowledgeAll = () =>
  announced.splice(0).map(({ acknowledge, bytes }) => (acknowledge(), decodeChanges(bytes)));
/** Commits, acknowledged by all peers. */
async function commit(planned: PlannedChange) {
  const outcome = location.commit(planned);
  await turn();
  acknowledgeAll();
  return outcome;
}
const contacts = async () => (await location.bindings(bob)).bindings.map(({ contact }) => contact);

describe("look-ups of known users", () => {
  it("are answered by the copy: user, alias, bindings, binding by id", async () => {
    await commit(change(0, binding("1")));
    for (const name of [bob, { ...bob, username: "100" }]) await location.resolve(name);
    calls = [];
    results = [];
    expect((await location.resolve(bob)).account).toMatchObject(bob);
    expect((await location.resolve({ ...bob, username: "100" })).account).toMatchObject(bob);
    expect(await location.bindings({ ...bob, username: "100" })).toEqual({ version: 0, bindings: [] });
    expect(await location.bindings(bob)).toMatchObject({
      version: 1,
      bindings: [{ id: "1", expiresIn: 60 }],
    });
    expect(await location.bindingById("1")).toMatchObject({ contact: "sip:bob@10.0.0.1" });
    expect([calls, new Set(results)]).toEqual([[], new Set(["copy"])]);
  });

  it("are read while the protocol does not say that the copy is current; then the copy has what was read", async () => {
    await commit(change(0, binding("1")));
    isCurrent = false;
    calls = [];
    await contacts();
    await location.bindingById("1");
    expect(calls).toEqual(["bindings", "byId"]);
    isCurrent = true;
    await contacts();
    expect(calls).toHaveLength(2);
  });

  it("a user that has never registered is answered by the copy, until a peer announces a binding", async () => {
    await location.resolve(bob);
    await contacts();
    calls = [];
    expect(await location.bindings(bob)).toEqual({ version: 0, bindings: [] });
    for (const bytes of encodeChanges([{ aor: bob, version: 1, age: 0, bindings: [binding("1")] }]))
      location.apply(bytes);
    expect(await location.bindings(bob)).toMatchObject({ version: 1, bindings: [{ id: "1" }] });
    expect(calls).toEqual([]);
  });

  it("unknown users and unserved domains are read each time", async () => {
    for (const name of [
      { ...bob, username: "x" },
      { ...bob, domain: "other.example" },
    ]) {
      calls = [];
      for (let i = 0; i < 2; i++) await Promise.all([location.resolve(name), location.bindings(name)]);
      expect(calls).toEqual(["resolve", "bindings", "resolve", "bindings"]);
    }
    expect(location.copied).toEqual({ name: 0, bindings: 0 });
  });

  it("a change of the operator is seen with the next poll, for users and bindings", async () => {
    await commit(change(0, binding("1")));
    await location.resolve(bob);
    await contacts();
    store.addUser("bob", "example.com", { isEnabled: false });
    await pass(500);
    calls = [];
    expect((await location.resolve(bob)).account?.isEnabled).toBe(false);
    await contacts();
    expect(calls).toEqual(["resolve", "bindings"]);
  });

  it("without credentials: an unknown user takes as many reads as a known one, none", async () => {
    await location.resolve({ username: "", domain: "example.com" });
    await location.resolve(bob);
    calls = [];
    expect(await location.resolveUnproven(bob)).toMatchObject({ account: bob });
    expect(await location.resolveUnproven({ ...bob, username: "x" })).toMatchObject({
      domain: { name: "example.com" },
      account: undefined,
    });
    expect(calls).toEqual([]);
    expect(await location.resolveUnproven({ ...bob, domain: "other.example" })).toMatchObject({
      domain: undefined,
    });
    expect(calls).toEqual(["resolve"]);
  });

  it("a wrong password: users of the copy are read again, others were read already", async () => {
    await location.resolve(bob);
    calls = [];
    expect(await location.refresh([bob])).toBe(false);
    expect(await location.refresh([{ ...bob, username: "x" }])).toBe(false);
    expect(calls).toEqual(["resolve"]);
    store.addUser("bob", "example.com", { password: "new" });
    expect(await Promise.all([location.refresh([bob]), location.refresh([bob])])).toEqual([true, true]);
    expect(calls).toEqual(["resolve", "resolve"]);
    expect((await location.resolve(bob)).account?.password).toBe("new");
    store.isAway = true;
    expect(await location.refresh([bob])).toBe(false);
  });

  it("users are read while no poll has an answer", async () => {
    await location.resolve(bob);
    now += 5_000;
    calls = [];
    await location.resolve(bob);
    expect(calls).toEqual(["resolve"]);
  });
});

describe("changes", () => {
  it("are acknowledged after the COMMIT and all announcements, with the full list", async () => {
    await commit(change(0, binding("1")));
    const { bindings: others } = await location.bindings(bob);
    const outcome = location.commit({ ...change(1, binding("2")), others });
    let isAcknowledged = false;
    void outcome.then(() => (isAcknowledged = true));
    await turn();
    expect([isAcknowledged, await contacts()]).toEqual([false, ["sip:bob@10.0.0.1", "sip:bob@10.0.0.2"]]);
    const [changes] = acknowledgeAll();
    expect(changes).toMatchObject([{ aor: bob, version: 2, bindings: [{ id: "1" }, { id: "2" }] }]);
    expect(await outcome).toBe("committed");
  });

  it("an announcement that is not yet acknowledged does not delay the next COMMIT", async () => {
    void location.commit(change(0, binding("1")));
    await turn();
    void location.commit(change(1, binding("1")));
    await turn();
    expect(calls).toEqual(["commit", "commit"]);
    expect(announced).toHaveLength(2);
  });

  it("the copy has the times that the database writes: a refresh keeps the time of the registration", async () => {
    await commit(change(0, binding("1")));
    const since = store.now * 1000;
    store.now += 10;
    const { bindings } = await location.bindings(bob);
    expect(bindings).toMatchObject([{ registeredAt: since, refreshedAt: since }]);
    await pass(500);
    await commit(change(1, bindings[0]!));
    expect((await location.bindings(bob)).bindings).toMatchObject([
      { registeredAt: since, refreshedAt: since + 10_000 },
    ]);
  });

  it("after a conflict the bindings are read before the next plan", async () => {
    await commit(change(0, binding("1")));
    await store.commit([change(1, binding("2"))]);
    expect(await commit(change(1, binding("3")))).toBe("conflict");
    expect((await location.bindings(bob)).version).toBe(2);
  });

  it("a change that was planned before the last commit conflicts without the database, and others of its batch are committed", async () => {
    void location.commit(change(0, binding("1")));
    await turn();
    const stored = vi.spyOn(store, "commit");
    const outcomes = [
      location.commit(change(0, binding("2"))),
      location.commit({ ...change(0, binding("3")), aor: { ...bob, username: "carol" } }),
    ];
    await turn();
    acknowledgeAll();
    expect(await Promise.all(outcomes)).toEqual(["conflict", "committed"]);
    expect(stored.mock.calls.map(([changes]) => changes.map(({ aor }) => aor.username))).toEqual([["carol"]]);
    expect(await contacts()).toEqual(["sip:bob@10.0.0.1"]);
  });

  it("a change whose outcome is not known is not believed", async () => {
    await commit(change(0, binding("1")));
    const committed = store.commit.bind(store);
    store.commit = async (changes) => {
      await committed(changes);
      throw new StoreUnavailable("memory", "the connection was lost");
    };
    await expect(location.commit(change(1, binding("2")))).rejects.toThrow(StoreUnavailable);
    expect(await contacts()).toEqual(["sip:bob@10.0.0.1", "sip:bob@10.0.0.2"]);
  });

  it("a 200 OK that changes nothing waits until the peers have what it answers", async () => {
    const rows = await location.bindings(bob);
    let isConfirmed = false;
    const confirmed = location.confirm(bob, rows).then(() => (isConfirmed = true));
    await turn();
    expect(isConfirmed).toBe(false);
    expect(acknowledgeAll()).toMatchObject([[{ aor: bob, version: 0, bindings: [] }]]);
    await confirmed;
  });
});

describe("changes of peers", () => {
  const announce = (version: number, ...bindings: Binding[]) =>
    encodeChanges([{ aor: bob, version, age: 0, bindings }]).forEach((bytes) => location.apply(bytes));

  it("are in the copy at once", async () => {
    await commit(change(0, binding("1")));
    announce(2, binding("7"));
    calls = [];
    expect(await contacts()).toEqual(["sip:bob@10.0.0.7"]);
    expect(calls).toEqual([]);
  });

  it("after distrust, or a change that cannot be read, everything is read again", async () => {
    await commit(change(0, binding("1")));
    for (const distrust of [() => location.distrust(), () => location.apply(Buffer.from("?"))]) {
      await contacts();
      distrust();
      calls = [];
      await contacts();
      await contacts();
      expect(calls).toEqual(["bindings"]);
    }
  });
});

describe("the database is away", () => {
  const known = async () => {
    await commit(change(0, binding("1")));
    await location.resolve(bob);
  };

  it("the copy answers what it knows, whatever its age; the rest is refused at once", async () => {
    await known();
    isCurrent = false;
    store.isAway = true;
    await pass(500);
    expect((await location.resolve(bob)).account).toMatchObject(bob);
    expect(await contacts()).toEqual(["sip:bob@10.0.0.1"]);
    expect(await location.bindingById("1")).toMatchObject({ id: "1" });
    now += 3_000_000;
    expect((await location.bindings(bob)).bindings[0]?.expiresIn).toBeGreaterThan(0);
    calls = [];
    for (const refused of [
      location.resolve({ ...bob, username: "x" }),
      location.bindings({ ...bob, username: "x" }),
      location.dialogTarget("1"),
      location.bindingsByContact("1"),
      location.commit(change(1, binding("2"))),
    ])
      await expect(refused).rejects.toThrow(StoreUnavailable);
    expect(calls).toEqual([]);
  });

  it("a hanging database: who waits is answered by the copy after a second, and nobody waits after that", async () => {
    await known();
    isCurrent = false;
    let continueDatabase = (): void => {};
    answer = new Promise<void>((resolve) => (continueDatabase = resolve));
    const waiting = contacts();
    await pass(1_600);
    expect(await waiting).toEqual(["sip:bob@10.0.0.1"]);
    expect(await contacts()).toEqual(["sip:bob@10.0.0.1"]);
    await expect(location.dialogTarget("1")).rejects.toThrow(StoreUnavailable);
    expect(results.slice(-3)).toEqual(["away", "away", "unavailable"]);
    continueDatabase();
  });

  it("when it answers again, everything is read again, and changes are committed", async () => {
    await known();
    store.isAway = true;
    await pass(500);
    await contacts();
    store.isAway = false;
    await pass(500);
    calls = [];
    await location.resolve(bob);
    await contacts();
    expect(calls).toEqual(["resolve", "bindings"]);
    expect(await commit(change(1, binding("2")))).toBe("committed");
  });

  describe("bindings that expired meanwhile", () => {
    const current = async () =>
      (await location.bindings(bob)).bindings.filter(isCurrentBinding).map(({ id }) => id);
    /** The database is away for 100 s, and the bindings are for 60 s. */
    const outage = async (meanwhile?: PlannedChange) => {
      [store.isAway, isCurrent] = [true, false];
      await pass(500);
      now += 100_000;
      store.now += 100;
      expect(await current()).toEqual(["1"]);
      [store.isAway, isCurrent] = [false, true];
      if (meanwhile !== undefined) await store.commit([meanwhile]);
      await pass(500);
    };

    it("stay for two minutes, in which their phones can refresh them; then the rows may be deleted", async () => {
      await known();
      await outage();
      expect([await current(), location.isRecovering]).toEqual([["1"], true]);
      now += 110_000;
      store.now += 110;
      expect(await current()).toEqual(["1"]);
      now += 10_000;
      store.now += 10;
      expect([await current(), location.isRecovering]).toEqual([[], false]);
    });

    it("do not stay if a phone has changed the address of record through a node that has the database", async () => {
      await known();
      await outage(change(1, binding("1", 0)));
      expect(await current()).toEqual([]);
    });

    it("do not come back if they were removed or had expired before the outage", async () => {
      await commit(change(0, binding("1"), binding("2", 5), binding("3")));
      await commit({ ...change(1, binding("3", 0)), others: [binding("1"), binding("2", 5)] });
      now += 10_000;
      store.now += 10;
      await outage();
      expect(await current()).toEqual(["1"]);
    });
  });

  it("a failed look-up of a known user is answered by the copy before a poll has failed", async () => {
    await known();
    isCurrent = false;
    store.isAway = true;
    expect(await contacts()).toEqual(["sip:bob@10.0.0.1"]);
    expect(results.at(-1)).toBe("away");
  });
});

describe("the start of a node", () => {
  const start = async (maxCopied = 1_000) => {
    const starting = new Location(
      store,
      locationDependencies({
        protocol: { isCurrent: () => true, announce: async () => {} },
        maxCopied,
        now: () => now,
      }),
    );
    starting.advance(now);
    await turn();
    await starting.warm(10_000);
    return starting;
  };
  const users = Array.from({ length: 600 }, (_, i) => ({ ...bob, username: `u${i}` }));

  it("reads all domains, users, aliases and bindings: then known names need no database", async () => {
    for (const { username, domain } of users) store.addUser(username, domain);
    await store.commit(users.map((aor, i) => ({ ...change(0, binding(`${i}`)), aor })));
    const starting = await start();
    expect(starting.copied).toEqual({ name: 603, bindings: 601 });
    store.isAway = true;
    expect(await starting.bindings(bob)).toEqual({ version: 0, bindings: [] });
    expect(await starting.bindings(users[599]!)).toMatchObject({ version: 1, bindings: [{ id: "599" }] });
    expect((await starting.resolve({ ...bob, username: "100" })).account).toMatchObject(bob);
    expect((await starting.resolve({ username: "", domain: "example.com" })).domain?.name).toBe(
      "example.com",
    );
  });

  it("ends when the copy is full, and when the database is away", async () => {
    for (const { username, domain } of users) store.addUser(username, domain);
    expect((await start(300)).copied.name).toBeLessThanOrEqual(300);
    store.isAway = true;
    await expect(start()).rejects.toThrow(StoreUnavailable);
  });
});
