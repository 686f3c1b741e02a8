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
  /** Remaining time by the database's clock; zero or less: expired, or removed by the phone. */
  readonly expiresIn: Seconds;
  /** The source of its REGISTER. */
  readonly flow: Flow;
  readonly isBehindNat: boolean;
  /** The owner of its flow when it was written, which may be outdated; "": a row of another tool. */
  readonly ownerNode: string;
  readonly userAgent: string;
  readonly instance: string | undefined;
  readonly regId: number;
  readonly nonceAt: Epoch;
  readonly nonceCount: number;
  /** When it was registered first without a break since, by the database's clock; 0: it is new, or another tool wrote the row. */
  readonly registeredAt: Epoch;
  /** When its last REGISTER was committed, by the database's clock; undefined: it is not yet committed, or another tool wrote the row. */
  readonly refreshedAt?: Epoch;
}

/** The bindings of one address of record, as they were at one moment. */
export interface AorBindings {
  /** The number of changes of the address of record; 0: none, or only other tools wrote its rows. */
  readonly version: number;
  /** In no order, with expired rows that are not yet deleted. */
  readonly bindings: readonly Binding[];
}

export const noBindings: AorBindings = { version: 0, bindings: [] };

/** A binding with its address of record. */
export interface OwnedBinding {
  readonly aor: Aor;
  readonly binding: Binding;
}

export const isCurrent = (binding: Binding): boolean => binding.expiresIn > 0;

/** A change of one address of record's bindings. It is atomic, and it is made only if the version is still the one it was planned on. */
export interface BindingChange {
  readonly aor: Aor;
  readonly version: number;
  /** The bindings to write. An `expiresIn` of zero or less removes a binding; a reaper deletes its row later. */
  readonly bindings: readonly Binding[];
}

/**
 * `conflict`: another node has changed the address of record; read and plan again. `unfit`: the name of the column that cannot hold the
 * value; another attempt is of no use.
 */
export type CommitOutcome =
  | "committed"
  | "conflict"
  | { readonly failed: string }
  | { readonly unfit: string };
