/**
 * Leader election by a Lease as data: the observed record, and the next write (client-go's algorithm). Pure. Another holder's clock is never
 * compared with ours: its lease counts as held for `leaseDuration` after we observed a change of the record.
 */
import type { Ms } from "./clock.ts";
import { rfc3339Micro } from "./rfc3339.ts";

/** The spec of a Lease, as coordination.k8s.io/v1 has it. */
export interface LeaseRecord {
  /** Empty: released. */
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  /** RFC 3339 with six digits of a second. The API server refuses another number of digits. */
  readonly acquireTime: string;
  readonly renewTime: string;
  /** The number of changes of the holder. */
  readonly leaseTransitions: number;
}

export interface StoredLease {
  readonly record: LeaseRecord;
  /** Its resource version. The server refuses a write with another version. */
  readonly version: string;
}

/** The last observed lease, and the time of the first observation of this record, by the local monotonic clock. */
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

/** Updates the observation. An unchanged record keeps the time of its first observation. */
export function observeLease(
  before: LeaseObservation | undefined,
  lease: StoredLease,
  now: Ms,
): LeaseObservation {
  const isSame = before !== undefined && sameRecord(before.lease.record, lease.record);
  return { lease, at: isSame ? before.at : now };
}

/** `now` is by the local clock. `wallTime` is in milliseconds since 1970, and is only for people. */
export function planAttempt(
  { identity, leaseDuration }: Candidate,
  observation: LeaseObservation | undefined,
  now: Ms,
  wallTime: Ms,
): Attempt {
  const renewTime = rfc3339Micro(wallTime);
  const mine = {
    holderIdentity: identity,
    leaseDurationSeconds: Math.round(leaseDuration / 1000),
    renewTime,
  };
  if (observation === undefined)
    return { do: "create", record: { ...mine, acquireTime: renewTime, leaseTransitions: 0 } };
  const { record, version } = observation.lease;
  const { holderIdentity, acquireTime, leaseTransitions } = record;
  if (holderIdentity === identity)
    return { do: "update", version, record: { ...mine, acquireTime, leaseTransitions } };
  // The holder's own duration counts if it is longer than ours.
  const duration = Math.max(leaseDuration, (record.leaseDurationSeconds ?? 0) * 1000);
  if (holderIdentity !== "" && now < observation.at + duration) return { do: "wait" };
  const takenOver = { ...mine, acquireTime: renewTime, leaseTransitions: leaseTransitions + 1 };
  return { do: "update", version, record: takenOver };
}

/** The record of a leader that stops: the next leader does not have to wait. */
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
