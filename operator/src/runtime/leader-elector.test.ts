import { expect, test } from "vitest";
import type { LeaseRecord, StoredLease } from "./election.ts";
import { LeaderElector, type LeaseStore } from "./leader-elector.ts";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";
import { rfc3339Micro } from "./rfc3339.ts";

/** A Lease as an API server keeps it: a write on another version than the stored one is refused. */
function lease() {
  let stored: StoredLease | undefined;
  let version = 0;
  const faults = { fails: false, hangs: false, answersGetLost: false };
  const refuseOr = async <T>(answer: () => T): Promise<T> => {
    if (faults.hangs) return new Promise<never>(() => undefined);
    if (faults.fails) throw new Error("API server away");
    return answer();
  };
  const put = (record: LeaseRecord): StoredLease => {
    version += 1;
    stored = { record, version: `${version}` };
    if (faults.answersGetLost) throw new Error("connection reset");
    return stored;
  };
  const store: LeaseStore = {
    get: () => refuseOr(() => stored),
    create: (record) =>
      refuseOr(() => {
        if (stored !== undefined) throw new Error("exists");
        return put(record);
      }),
    update: (record, of) =>
      refuseOr(() => {
        if (stored?.version !== of) throw new Error("conflict");
        return put(record);
      }),
  };
  return { store, faults, stored: () => stored?.record, seize: put, remove: () => (stored = undefined) };
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
};

/** Time passes in steps, so that awaited work keeps up. */
async function pass(clock: VirtualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    clock.advance(500);
    await settle();
  }
}

function elector(identity: string, store: LeaseStore, clock: VirtualClock, wallOffset = { ms: 0 }) {
  const events: string[] = [];
  const observer = {
    elected: () => events.push("elected"),
    lost: (why: string) => events.push(`lost: ${why}`),
    follows: (leader: string) => events.push(`follows ${leader}`),
    failed: () => undefined,
  };
  const wallTime = (): number => clock.now() + wallOffset.ms;
  const made = new LeaderElector(store, observer, { identity, clock, wallTime, random: () => 0 });
  return Object.assign(made, { events });
}

test("the first candidate creates the Lease, with times of six digits, and renews it", async () => {
  const clock = new VirtualClock();
  const { store, stored } = lease();
  const one = elector("one", store, clock);
  one.start();
  await settle();
  expect(one.isLeader).toBe(true);
  const first = stored();
  expect(first).toMatchObject({ holderIdentity: "one", leaseDurationSeconds: 15, leaseTransitions: 0 });
  expect(first?.renewTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  await pass(clock, 60_000);
  expect(one.events).toEqual(["elected"]);
  expect(stored()?.acquireTime).toBe(first?.acquireTime);
  expect(stored()?.renewTime).toBe(rfc3339Micro(clock.now()));
});

test("of two candidates one leads; the other leads at once when the first releases the lease", async () => {
  const clock = new VirtualClock();
  const { store, stored } = lease();
  const one = elector("one", store, clock);
  const two = elector("two", store, clock);
  one.start();
  await settle();
  two.start();
  await pass(clock, 60_000);
  expect(two.events).toEqual(["follows one"]);
  await one.stop();
  expect(stored()).toMatchObject({ holderIdentity: "", leaseDurationSeconds: 1 });
  await pass(clock, 2_500);
  expect(two.isLeader).toBe(true);
  expect(stored()?.leaseTransitions).toBe(1);
});

test("another process leads 15 s after the last renewal of a dead leader, not before", async () => {
  const clock = new VirtualClock();
  const { store, seize } = lease();
  seize({
    holderIdentity: "dead",
    leaseDurationSeconds: 15,
    acquireTime: rfc3339Micro(0),
    renewTime: rfc3339Micro(0),
    leaseTransitions: 4,
  });
  const two = elector("two", store, clock);
  two.start();
  await pass(clock, 14_500);
  expect(two.isLeader).toBe(false);
  await pass(clock, 3_000);
  expect(two.isLeader).toBe(true);
});

test("the clock of another machine is ignored: renewals of the future or the past keep the lease", async () => {
  const clock = new VirtualClock();
  const { store, seize } = lease();
  const two = elector("two", store, clock);
  for (let round = 0; round < 10; round += 1) {
    seize({
      holderIdentity: "one",
      leaseDurationSeconds: 15,
      acquireTime: rfc3339Micro(0),
      renewTime: rfc3339Micro(round * 1_000),
      leaseTransitions: 0,
    });
    two.start();
    await pass(clock, 10_000);
  }
  expect(two.isLeader).toBe(false);
});

test("a leader without a renewal for 10 s has lost, and does not lead again when the API server is back", async () => {
  const clock = new VirtualClock();
  const { store, faults } = lease();
  const one = elector("one", store, clock);
  one.start();
  await settle();
  faults.fails = true;
  await pass(clock, 7_500);
  faults.fails = false;
  await pass(clock, 10_000);
  expect(one.events).toEqual(["elected"]);
  faults.fails = true;
  await pass(clock, 12_000);
  expect(one.events).toEqual(["elected", "lost: the lease was not renewed for 10 s"]);
  faults.fails = false;
  await pass(clock, 60_000);
  expect(one.isLeader).toBe(false);
  expect(one.events).toHaveLength(2);
});

test("the deadline also ends hanging requests, and one hanging request leaves time for another", async () => {
  const clock = new VirtualClock();
  const { store, faults } = lease();
  const one = elector("one", store, clock);
  one.start();
  await settle();
  await pass(clock, 1_500);
  faults.hangs = true;
  await pass(clock, 1_000);
  faults.hangs = false;
  await pass(clock, 30_000);
  expect(one.events).toEqual(["elected"]);
  faults.hangs = true;
  await pass(clock, 10_000);
  expect(one.events.at(-1)).toContain("lost");
});

test("a process that was suspended is no leader at its first reading of the clock, before any timer ran", async () => {
  const clock = new VirtualClock();
  const { store } = lease();
  const wallOffset = { ms: 0 };
  let isAsleep = false;
  const sleeping = {
    now: () => clock.now() + (isAsleep ? 11_000 : 0),
    after: (delay: number, run: () => void) => clock.after(delay, run),
  };
  const made = new LeaderElector(
    store,
    { elected: () => undefined, lost: () => undefined, follows: () => undefined, failed: () => undefined },
    { identity: "one", clock: sleeping, wallTime: () => clock.now(), random: () => 0 },
  );
  made.start();
  await settle();
  expect(made.isLeader).toBe(true);
  isAsleep = true;
  expect(made.isLeader).toBe(false);
  const suspended = elector("two", lease().store, clock, wallOffset);
  suspended.start();
  await settle();
  expect(suspended.isLeader).toBe(true);
  wallOffset.ms = 11_000;
  expect(suspended.isLeader).toBe(false);
});

test("a lease that another process took is lost at the next renewal", async () => {
  const clock = new VirtualClock();
  const { store, stored, seize } = lease();
  const one = elector("one", store, clock);
  one.start();
  await settle();
  seize({ ...stored()!, holderIdentity: "two" });
  await pass(clock, 2_500);
  expect(one.events).toEqual(["elected", "follows two", "lost: another process holds the lease"]);
  await one.stop();
  expect(stored()?.holderIdentity).toBe("two");
});

test("the leader creates a removed Lease again", async () => {
  const clock = new VirtualClock();
  const { store, stored, remove } = lease();
  const one = elector("one", store, clock);
  one.start();
  await settle();
  remove();
  await pass(clock, 6_000);
  expect(stored()?.holderIdentity).toBe("one");
  expect(one.events).toEqual(["elected"]);
});

test("a renewal without an answer does not lose the lease", async () => {
  const clock = new VirtualClock();
  const { store, faults } = lease();
  const one = elector("one", store, clock);
  one.start();
  await settle();
  faults.answersGetLost = true;
  await pass(clock, 6_000);
  faults.answersGetLost = false;
  await pass(clock, 30_000);
  expect(one.events).toEqual(["elected"]);
});

test("of candidates that start at the same time one leads", async () => {
  const clock = new VirtualClock();
  const { store } = lease();
  const all = ["one", "two", "three"].map((name) => elector(name, store, clock));
  for (const each of all) each.start();
  await pass(clock, 30_000);
  expect(all.filter(({ isLeader }) => isLeader)).toHaveLength(1);
});

test("stop before the election ends the candidate, and nothing is written afterwards", async () => {
  const clock = new VirtualClock();
  const { store, faults, stored } = lease();
  faults.hangs = true;
  const one = elector("one", store, clock);
  one.start();
  await settle();
  const stopped = one.stop();
  await pass(clock, 6_000);
  await stopped;
  faults.hangs = false;
  await pass(clock, 60_000);
  expect(stored()).toBeUndefined();
});
