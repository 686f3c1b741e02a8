/** What a decision about a SipUser looks at: its domain, its Secret, its owner row, and every row that bears one of its names. */
import type { Installation } from "../adapters/mysql/installation.ts";
import { readClaims, readOwner } from "../adapters/mysql/owners.ts";
import {
  hasBindings,
  readAliases,
  readSubscribers,
  readUserSettings,
  type AliasRow,
  type SubscriberRow,
  type UserSettings,
} from "../adapters/mysql/user-rows.ts";
import type { Installations } from "../installations.ts";
import type { Claim, Elder, Owner } from "../ownership.ts";
import { keyOf, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { Presence, Secret, Source } from "../runtime/source.ts";
import type { SipUserStatus } from "../sources/types.ts";
import type { NameIndex } from "../runtime/name-index.ts";
import { eldersOf } from "./elders.ts";
import { findKeptRows, isTaken, readKeptRows } from "./kept-rows.ts";
import { isShutOut, readServedDomain, type ServedDomain } from "./served-domain.ts";
import { rememberedOwner } from "./remembered-owner.ts";
import type { SipUser, UserFields } from "./resource.ts";
import { turnOff, type KeptRows } from "./turn-off.ts";

export type UserWorld = Unserved | UserRows;

export interface Unserved {
  /** `unready`: the SipDomain is there, but is served no longer, has no rows of its own (yet), or its database is not to be had. */
  readonly kind: "absent" | "unready";
  /** What the user owns all the same. */
  readonly kept?: KeptRows | undefined;
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

/** The world, and where its rows are. */
export async function readUserWorld(
  user: SipUser,
  installations: Installations,
  source: Source,
  wanted: NameIndex,
): Promise<readonly [UserWorld, Installation | undefined]> {
  const object = source.get("SipDomain", user.domain);
  if (object === undefined || object.metadata.deletionTimestamp !== undefined)
    return readWithoutDomain(user, installations, source, object !== undefined);
  const installation = await installations.of(clusterOf(object));
  if (installation?.epoch === undefined) return [{ kind: "unready" }, undefined];
  const served = await readServedDomain(object, user, installation, source);
  if (served !== undefined) {
    const rows = await readRows(user, served, installation, source);
    const unclaimed = [user.username, ...user.aliases].filter((name) =>
      rows.claims.every((claim) => claim.name !== claimName(name, served.domain)),
    );
    const owned = ownedNames(rows.owner, served);
    const elders = await eldersOf(user, unclaimed, { domain: object, owned, wanted, source });
    return [
      { ...rows, elders: elders.map(({ name, owner }) => ({ name: claimName(name, served.domain), owner })) },
      installation,
    ];
  }
  const kept = await readKeptRows(user, installation);
  const isWithdrawn = isShutOut(object) || (kept !== undefined && (await isTaken(user, kept, installation)));
  return [{ kind: "unready", kept, isWithdrawn }, installation];
}

/** User parts whose rows in this domain are the object's. */
const ownedNames = (owner: Owner<UserFields> | undefined, { domain }: ServedDomain): readonly string[] =>
  owner?.fields.domain === domain ? [owner.fields.username, ...owner.fields.aliases] : [];

/** A SipDomain that merely could not be read switches nobody off. */
async function readWithoutDomain(
  user: SipUser,
  installations: Installations,
  source: Source,
  isDeleted: boolean,
): Promise<readonly [UserWorld, Installation | undefined]> {
  const found = await findKeptRows(user, installations.open());
  if (found === undefined)
    return [{ kind: "absent", isUnknown: installations.unreachable().length > 0 }, undefined];
  const [kept, installation] = found;
  const isOff = turnOff(kept).length === 0;
  const isWithdrawn = isOff || isDeleted || (await source.presence("SipDomain", user.domain)).is === "absent";
  return [{ kind: "absent", kept, isWithdrawn, isUnknown: !isWithdrawn }, installation];
}

/** The SipCluster of a SipDomain. */
export function clusterOf({ metadata, spec }: KubernetesObject): ObjectKey {
  const { clusterRef } = spec as {
    readonly clusterRef: { readonly name: string; readonly namespace?: string };
  };
  return keyOf(clusterRef.namespace ?? metadata.namespace, clusterRef.name);
}

async function readRows(
  user: SipUser,
  served: ServedDomain,
  installation: Installation,
  source: Source,
): Promise<Omit<UserRows, "elders">> {
  const { reference, uid, username, credential } = user;
  const { domain, isAllowed } = served;
  const { database } = installation;
  const names = [username, ...user.aliases];
  const object = source.get(reference.kind, keyOf(reference.namespace, reference.name));
  // Rows before claims: whoever made a row meanwhile has its claim by then.
  const subscribers = await readSubscribers(installation, domain, names);
  const aliases = await readAliases(database, domain, names);
  const claims = await readClaims(
    database,
    "user",
    names.map((name) => claimName(name, domain)),
  );
  const owner =
    (await readOwner<UserFields>(installation, reference)) ??
    rememberedOwner(user, object, { installationId: installation.id, claims, domain, subscribers, aliases });
  const isOther = owner !== undefined && owner.uid !== uid;
  const account = isAllowed ? { username, domain } : (owner?.fields ?? { username, domain });
  return {
    kind: "ready",
    ...served,
    installationId: installation.id,
    owner,
    present: isOther
      ? await source.presence(reference.kind, keyOf(reference.namespace, reference.name))
      : undefined,
    seenSecret: seenSecretOf(object),
    ...(credential !== undefined && isAllowed
      ? await readSecret(credential.secret, source)
      : { secret: undefined }),
    claims,
    subscribers,
    settings: await readUserSettings(database, account),
    aliases,
    hasBindings: await hasBindings(database, account),
  };
}

/** One that cannot be read keeps nobody from being switched off. */
const readSecret = (key: ObjectKey, source: Source): Promise<Pick<UserRows, "secret" | "secretFailure">> =>
  source.secret(key).then(
    (secret) => ({ secret }),
    (cause: unknown) => ({
      secret: undefined,
      secretFailure: cause instanceof Error ? cause : new Error(String(cause)),
    }),
  );

const seenSecretOf = (object: KubernetesObject | undefined): string | undefined =>
  (object?.status as SipUserStatus | undefined)?.secretResourceVersion;
