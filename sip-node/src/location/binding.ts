/** A binding: one contact of an address of record (RFC 3261 §10), a row of `location` with its `strowger_flow`. */
import type { Flow } from "../wire/flow.ts";
import type { Epoch, Seconds } from "../wire/units.ts";
import type { Aor } from "./account.ts";

export interface Binding {
  /** `contact_id`: a decimal number below 2^63, derived by `contactId`. */
  readonly id: string;
  readonly contact: string;
  /** 0 to 1000, in thousandths. */
  readonly q: number;
  readonly callId: string;
  readonly cseq: number;
  /** Left by the database's clock; zero or less: expired, or removed by the phone. */
  readonly expiresIn: Seconds;
  /** Where its REGISTER came from. */
  readonly flow: Flow;
  readonly isBehindNat: boolean;
  /** The node that heard it last when it was written: a hint. Empty for a row of another tool. */
  readonly ownerNode: string;
  readonly userAgent: string;
  readonly instance: string | undefined;
  readonly regId: number;
  readonly nonceAt: Epoch;
  readonly nonceCount: number;
  /** Since when it is registered without a break, by the database's clock; 0: it is now, or another tool's row does not say. */
  readonly registeredAt: Epoch;
  /** When its last REGISTER was committed, by the database's clock; undefined: it was not yet, or another tool wrote the row. */
  readonly refreshedAt?: Epoch;
}

/** A binding with whose it is. */
export interface OwnedBinding {
  readonly aor: Aor;
  readonly binding: Binding;
}

export const isCurrent = (binding: Binding): boolean => binding.expiresIn > 0;

/** A change of one address of record's bindings: atomic, and only from the version it was planned on. */
export interface BindingChange {
  readonly aor: Aor;
  readonly version: number;
  /** Written as they are; `expiresIn` of zero or less removes (a reaper deletes the row later). */
  readonly bindings: readonly Binding[];
}

/**
 * `conflict`: another node changed the address of record since; read and plan again. `unfit`: the column of that name cannot hold the value,
 * and never will.
 */
export type CommitOutcome =
  | "committed"
  | "conflict"
  | { readonly failed: string }
  | { readonly unfit: string };
