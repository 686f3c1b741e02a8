/**
 * The times of the lease protocol (docs/adr/0044-a-node-uses-its-copy-while-every-peer-grants-it-a-lease.md). Each node counts them by its own
 * monotonic clock. A writer waits a third longer than a reader uses what the writer granted, so the clocks may differ by 33 % in pace.
 */
import type { Ms } from "../wire/units.ts";

/** A reader uses a lease until this time after it SENT the question that was answered. */
export const leaseTime: Ms = 1_500;
/** A writer counts on the reader's use of it until this time after it SENT the answer. */
export const grantTime: Ms = 2_000;
/** A list of the nodes is used until this time after the START of the cycle that read it. */
export const listTime: Ms = 1_500;
/** A node that joined writes after this time even if a peer has not confirmed that it needs a lease of it. */
export const gateTime: Ms = 2_000;
/** An announced change that a peer has not acknowledged is sent again after this time. */
export const repeatTime: Ms = 40;
/** A reader gets a lease although changes are on their way to it, if they are not older than this. */
export const onTheWayTime: Ms = 100;
