/** The databases that this operator serves: one for each SipCluster (design-kubernetes rule 1). */
import type { Failure } from "./adapters/mysql/failure.ts";
import type { Installation } from "./adapters/mysql/installation.ts";
import type { Ms } from "./runtime/clock.ts";
import type { ObjectKey } from "./runtime/object.ts";

export interface LoginProblems {
  /** Of the operator's own login. */
  readonly operator?: Failure;
  /** Of the login that nodes mount, when the operator tried it. Absent also if it is the operator's login. */
  readonly nodes?: Failure;
}

/** The time between two calls of `sendHeartbeats` of an implementation. */
export const heartbeatInterval: Ms = 5_000;

export interface Installations {
  /**
   * The installation of a SipCluster. It is opened (connected, migrated) if it is not open. Undefined: the SipCluster does not exist, or
   * its spec has no database. Throws if the database cannot be reached or used.
   */
  of(cluster: ObjectKey): Promise<Installation | undefined>;
  /** All open installations. The sweep and deletions search all of them. */
  open(): readonly Installation[];
  /** Problems of the logins in its Secrets. Older connections may still work. */
  loginProblems(cluster: ObjectKey): LoginProblems;
  /** SipClusters with a database that is not open or cannot be reached now. Their owned rows are unknown. */
  unreachable(): readonly ObjectKey[];
}
