/** The databases that this operator serves: one for each SipCluster (design: truth, names, ownership, rule 1). */
import type { Failure } from "./adapters/mysql/failure.ts";
import type { Installation } from "./adapters/mysql/installation.ts";
import type { Ms } from "./runtime/clock.ts";
import type { ObjectKey } from "./runtime/object.ts";

export interface LoginProblems {
  /** Of the operator's own login. */
  readonly operator?: Failure;
  /** Of the login that nodes mount, as the operator tried it; absent also where it is the operator's. */
  readonly nodes?: Failure;
}

/** How often `sendHeartbeats` of an implementation is to be called. */
export const heartbeatInterval: Ms = 5_000;

export interface Installations {
  /**
   * The installation of the SipCluster of that key, opened (connected, migrated) where it is not yet. Undefined: there is no such
   * SipCluster, or it does not say a usable database. Throws where the database cannot be reached or served.
   */
  of(cluster: ObjectKey): Promise<Installation | undefined>;
  /** Those that are open, whoever's they are; the sweep and deletions look through all of them. */
  open(): readonly Installation[];
  /** What is wrong with the logins that its Secrets hold, while connections made earlier go on. */
  loginProblems(cluster: ObjectKey): LoginProblems;
  /** SipClusters whose database is known by name and cannot be reached now: what they own is unknown. */
  unreachable(): readonly ObjectKey[];
}
