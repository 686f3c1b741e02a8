/**
 * The election by a Lease as data: what was seen, and what to write next (client-go's algorithm). Pure. Another holder's clock is never
 * compared with ours: its lease counts as held for `leaseDuration` from when *we* saw the record change.
 */
import type { Ms } from "./clock.ts";
import { rfc3339Micro } from "./rfc3339.ts";

/** The spec of a Lease, as coordination.k8s.io/v1 has it. */
export interface LeaseRecord {
  /** Empty: released. */
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  /** RFC 3339 with six digits of a second; the API server refuses any other number of them. */
  readonly acquireTime: string;
  readonly renewTime: string;
  /** How often the holder changed. */
  readonly leaseTransitions: number;
}

export interface StoredLease {
  readonly record: LeaseRecord;
  /** Its resource version; a write on another one is refused. */
  readonly version: string;
}

/** The lease as last seen, and when it was first seen so by the local clock that never jumps. */
export interface LeaseObservation {
  readonly lease: StoredLease;
  readonly at: Ms;
}

export interface Candidate {
  readonly identity: string;
  readonly leaseDuration: Ms;
}

export type Attempt =
  | { readonly do: "wait" }
  | { readonly do: "create"; readonly record: LeaseRecord }
  | { readonly do: "update"; readonly record: LeaseRecord; readonly version: string };

/** What is now known, given what was known before. A record that did not change keeps the time of its first sighting. */
export function observeLease(
  before: LeaseObservation | undefined,
  lease: StoredLease,
  now: Ms,
): LeaseObservation {
  const isSame = before !== undefined && sameRecord(before.lease.record, lease.record);
  return { lease, at: isSame ? before.at : now };
}

/** `now` by the local clock, `wallTime` in milliseconds since 1970 (only to be read by people). */
export function planAttempt(
  { identity, leaseDuration }: Candidate,
  sighting: LeaseObservation | undefined,
  now: Ms,
  wallTime: Ms,
): Attempt {
  const renewTime = rfc3339Micro(wallTime);
  const mine = {
    holderIdentity: identity,
    leaseDurationSeconds: Math.round(leaseDuration / 1000),
    renewTime,
  };
  if (sighting === undefined)
    return { do: "create", record: { ...mine, acquireTime: renewTime, leaseTransitions: 0 } };
  const { record, version } = sighting.lease;
  const { holderIdentity, acquireTime, leaseTransitions } = record;
  if (holderIdentity === identity)
    return { do: "update", version, record: { ...mine, acquireTime, leaseTransitions } };
  // The holder's own idea of the duration counts where it is longer than ours.
  const duration = Math.max(leaseDuration, (record.leaseDurationSeconds ?? 0) * 1000);
  if (holderIdentity !== "" && now < sighting.at + duration) return { do: "wait" };
  const taken = { ...mine, acquireTime: renewTime, leaseTransitions: leaseTransitions + 1 };
  return { do: "update", version, record: taken };
}

/** The record of a leader that goes on purpose: the next one need not wait. */
export function released({ leaseTransitions }: LeaseRecord, wallTime: Ms): LeaseRecord {
  const time = rfc3339Micro(wallTime);
  return {
    holderIdentity: "",
    leaseDurationSeconds: 1,
    acquireTime: time,
    renewTime: time,
    leaseTransitions,
  };
}

const sameRecord = (a: LeaseRecord, b: LeaseRecord): boolean =>
  a.holderIdentity === b.holderIdentity &&
  a.leaseDurationSeconds === b.leaseDurationSeconds &&
  a.acquireTime === b.acquireTime &&
  a.renewTime === b.renewTime &&
  a.leaseTransitions === b.leaseTransitions;
