/** The current state that a decision about a SipUser reads: its domain, its Secret, its owner row, and every row with one of its names. */
import type { AliasRow, SubscriberRow, UserSettings } from "../adapters/mysql/user-rows.ts";
import type { Claim, OlderObject, Owner } from "../ownership.ts";
import type { Existence, Secret } from "../runtime/source.ts";
import type { UserFields } from "./resource.ts";
import type { ServedDomain } from "./served-domain.ts";
import type { RetainedRows } from "./disable-account.ts";

export type UserState = Unserved | UserRows;

export interface Unserved {
  /** `unready`: the SipDomain exists, but is no longer served, has no rows yet, or its database is not available. */
  readonly kind: "absent" | "unready";
  /** The rows that the user still owns. */
  readonly retained?: RetainedRows | undefined;
  /** The SipDomain no longer has the domain, so these rows must be switched off. */
  readonly isWithdrawn?: boolean;
  /** Not known now, and no watch reports when it is. */
  readonly isUnknown?: boolean;
}

export interface UserRows extends ServedDomain {
  readonly kind: "ready";
  /** Whether the SipDomain allows users of this namespace. */
  readonly isAllowed: boolean;
  readonly installationId: string;
  readonly owner: Owner<UserFields> | undefined;
  /** The result of a live read of this object. Read only where the owner row has another uid. */
  readonly present: Existence | undefined;
  /** Undefined: there is none, or it was not read. */
  readonly secret: Secret | undefined;
  /** Why it could not be read. Whether it exists is unknown then. */
  readonly secretFailure?: Error;
  /** The resourceVersion in the status: that of the Secret whose credential was stored. */
  readonly seenSecret: string | undefined;
  /** Claims of user@domain and its aliases, by any object. */
  readonly claims: readonly Claim[];
  /** Unclaimed names that an older object requests too. */
  readonly olderObjects: readonly OlderObject[];
  /** Accounts with the username or an alias as their name, whichever tool made them. */
  readonly subscribers: readonly SubscriberRow[];
  /** For a user that is not allowed, the settings and bindings of the account in the owner row. */
  readonly settings: UserSettings | undefined;
  /** Aliases with the username or an alias as their name, whichever tool made them. */
  readonly aliases: readonly AliasRow[];
  readonly hasBindings: boolean;
}

/** The name that a user part claims in a domain. */
export const claimName = (user: string, domain: string): string => `${user}@${domain}`;
