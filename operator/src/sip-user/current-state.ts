/** What a decision about a SipUser looks at: its domain, its Secret, its owner row, and every row that bears one of its names. */
import type { AliasRow, SubscriberRow, UserSettings } from "../adapters/mysql/user-rows.ts";
import type { Claim, Elder, Owner } from "../ownership.ts";
import { keyOf, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { Presence, Secret } from "../runtime/source.ts";
import type { UserFields } from "./resource.ts";
import type { ServedDomain } from "./served-domain.ts";
import type { RetainedRows } from "./disable-account.ts";

export type UserState = Unserved | UserRows;

export interface Unserved {
  /** `unready`: the SipDomain is there, but is served no longer, has no rows of its own (yet), or its database is not to be had. */
  readonly kind: "absent" | "unready";
  /** What the user owns all the same. */
  readonly kept?: RetainedRows | undefined;
  /** Those rows are to serve nobody: the domain is its SipDomain's no longer. */
  readonly isWithdrawn?: boolean;
  /** That cannot be told now, and nobody tells when it can. */
  readonly isUnknown?: boolean;
}

export interface UserRows extends ServedDomain {
  readonly kind: "ready";
  readonly installationId: string;
  readonly owner: Owner<UserFields> | undefined;
  /** What a live read says of this object; asked only where the owner row has another uid. */
  readonly present: Presence | undefined;
  /** Undefined: there is none, or it is of no interest now. */
  readonly secret: Secret | undefined;
  /** Why it could not be read: nobody knows whether there is one. */
  readonly secretFailure?: Error;
  /** The resourceVersion of the Secret whose credential was in force when the status was written. */
  readonly seenSecret: string | undefined;
  /** Of user@domain and its aliases, by whomever. */
  readonly claims: readonly Claim[];
  /** Of the names that nobody holds, those that an older object wants too. */
  readonly elders: readonly Elder[];
  /** Accounts with the username or an alias as their name, whoever made them. */
  readonly subscribers: readonly SubscriberRow[];
  /** This and the bindings: of the account that is owned, where the user is not allowed. */
  readonly settings: UserSettings | undefined;
  /** Aliases with the username or an alias as their name, whoever made them. */
  readonly aliases: readonly AliasRow[];
  readonly hasBindings: boolean;
}

/** The name that a user part claims in a domain. */
export const claimName = (user: string, domain: string): string => `${user}@${domain}`;

/** The SipCluster of a SipDomain. */
export function clusterOf({ metadata, spec }: KubernetesObject): ObjectKey {
  const { clusterRef } = spec as {
    readonly clusterRef: { readonly name: string; readonly namespace?: string };
  };
  return keyOf(clusterRef.namespace ?? metadata.namespace, clusterRef.name);
}
