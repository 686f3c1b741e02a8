import { expect, test } from "vitest";
import { planAttempt, observeLease, type LeaseRecord, type StoredLease } from "./election.ts";

const record = (more: Partial<LeaseRecord> = {}): LeaseRecord => ({
  holderIdentity: "other",
  leaseDurationSeconds: 15,
  acquireTime: "2026-01-01T00:00:00.000000Z",
  renewTime: "2026-01-01T00:00:00.000000Z",
  leaseTransitions: 3,
  ...more,
});
const stored = (more: Partial<LeaseRecord> = {}): StoredLease => ({ record: record(more), version: "7" });
const self = { identity: "self", leaseDuration: 15_000 };
const at = (lease: StoredLease, since: number) =>
  planAttempt(self, { lease, at: 1_000 }, 1_000 + since, 0).do;

test("a lease is held for the longer one of the holder's duration and ours", () => {
  expect(at(stored({ leaseDurationSeconds: 60 }), 59_999)).toBe("wait");
  expect(at(stored({ leaseDurationSeconds: 60 }), 60_000)).toBe("update");
  expect(at(stored({ leaseDurationSeconds: 1 }), 14_999)).toBe("wait");
  expect(at(stored({ leaseDurationSeconds: 1 }), 15_000)).toBe("update");
});

test("a released lease is taken at once; our own lease is renewed with its acquire time and count", () => {
  expect(at(stored({ holderIdentity: "" }), 0)).toBe("update");
  expect(planAttempt(self, { lease: stored({ holderIdentity: "self" }), at: 0 }, 0, 5_000)).toEqual({
    do: "update",
    version: "7",
    record: record({ holderIdentity: "self", renewTime: "1970-01-01T00:00:05.000000Z" }),
  });
});

test("a new holder counts the transition and writes its own duration and time", () => {
  expect(planAttempt(self, { lease: stored({ leaseDurationSeconds: 60 }), at: 0 }, 60_000, 5_000)).toEqual({
    do: "update",
    version: "7",
    record: {
      holderIdentity: "self",
      leaseDurationSeconds: 15,
      acquireTime: "1970-01-01T00:00:05.000000Z",
      renewTime: "1970-01-01T00:00:05.000000Z",
      leaseTransitions: 4,
    },
  });
});

test("a change of any field of the record is a sign of life; a new version alone is not", () => {
  const before = { lease: stored(), at: 1_000 };
  const changes: readonly Partial<LeaseRecord>[] = [
    { holderIdentity: "third" },
    { leaseDurationSeconds: 16 },
    { acquireTime: "2026-01-01T00:00:01.000000Z" },
    { renewTime: "2026-01-01T00:00:01.000000Z" },
    { leaseTransitions: 4 },
  ];
  for (const change of changes) expect(observeLease(before, stored(change), 2_000).at).toBe(2_000);
  const sameRecord = { ...stored(), version: "8" };
  expect(observeLease(before, sameRecord, 2_000)).toEqual({ lease: sameRecord, at: 1_000 });
  expect(observeLease(undefined, stored(), 2_000).at).toBe(2_000);
});
