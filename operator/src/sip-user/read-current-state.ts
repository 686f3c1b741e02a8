/** Reads the current state of a SipUser. Throws DatabaseUnavailable. */
import type { Installation } from "../adapters/mysql/installation.ts";
import { hasBindings, readUserSettings, type Account } from "../adapters/mysql/user-rows.ts";
import type { Installations } from "../installations.ts";
import { clusterOfDomain } from "../references.ts";
import type { NameIndex } from "../runtime/name-index.ts";
import { keyOf, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import type { SipUserStatus } from "../sources/types.ts";
import type { AccountReader, ServedAccount } from "./account-reader.ts";
import { findOlderUsers } from "./older-users.ts";
import { findRetainedRows, isDomainTaken, readRetainedRows } from "./retained-rows.ts";
import { userOwnerFromStatus } from "./owner-from-status.ts";
import type { SipUser } from "./resource.ts";
import { allowsUsersOf, isExcludedDomain } from "./served-domain.ts";
import { disableAccount } from "./disable-account.ts";
import { claimName, type UserRows, type UserState } from "./current-state.ts";

export interface UserStateSources {
  readonly installations: Installations;
  readonly source: Source;
  readonly index: NameIndex;
  readonly accounts: AccountReader;
}

/** Returns the state, and the installation of its rows. */
export async function readUserState(
  user: SipUser,
  { installations, source, index, accounts }: UserStateSources,
): Promise<readonly [UserState, Installation | undefined]> {
  const object = source.get("SipDomain", user.domain);
  if (object === undefined || object.metadata.deletionTimestamp !== undefined)
    return readWithoutDomain(user, installations, source, object !== undefined);
  const installation = await installations.of(clusterOfDomain(object));
  if (installation?.epoch === undefined) return [{ kind: "unready" }, undefined];
  const account = await accounts.read(object, user, installation);
  if (account !== undefined) {
    const isAllowed = await allowsUsersOf(object, user.reference.namespace, source);
    const rows = await readRows(user, { ...account, isAllowed }, installation, source);
    const older = await findOlderUsers(user, unclaimedNames(user, rows), {
      domain: object,
      owned: ownedNames(rows),
      index,
      source,
    });
    const olderObjects = older.map(({ name, owner }) => ({ name: claimName(name, rows.domain), owner }));
    return [{ ...rows, olderObjects }, installation];
  }
  const retained = await readRetainedRows(user, installation);
  const isWithdrawn =
    isExcludedDomain(object) ||
    (retained !== undefined && (await isDomainTaken(user, retained, installation)));
  return [{ kind: "unready", retained, isWithdrawn }, installation];
}

/** The user parts of the object's own rows in this domain. */
const ownedNames = ({ owner, domain }: Pick<UserRows, "owner" | "domain">): readonly string[] =>
  owner?.fields.domain === domain ? [owner.fields.username, ...owner.fields.aliases] : [];

const unclaimedNames = (
  { username, aliases }: SipUser,
  { claims, domain }: Pick<UserRows, "claims" | "domain">,
): readonly string[] =>
  [username, ...aliases].filter((name) => claims.every((claim) => claim.name !== claimName(name, domain)));

/** A SipDomain that only could not be read does not switch its users off. */
async function readWithoutDomain(
  user: SipUser,
  installations: Installations,
  source: Source,
  isDeleted: boolean,
): Promise<readonly [UserState, Installation | undefined]> {
  const found = await findRetainedRows(user, installations.open());
  if (found === undefined)
    return [{ kind: "absent", isUnknown: installations.unreachable().length > 0 }, undefined];
  const [retained, installation] = found;
  const isOff = disableAccount(retained).length === 0;
  const isWithdrawn =
    isOff || isDeleted || (await source.existence("SipDomain", user.domain)).is === "absent";
  return [{ kind: "absent", retained, isWithdrawn, isUnknown: !isWithdrawn }, installation];
}

async function readRows(
  user: SipUser,
  { served, rows, isAllowed }: ServedAccount & { readonly isAllowed: boolean },
  installation: Installation,
  source: Source,
): Promise<Omit<UserRows, "olderObjects">> {
  const { reference, uid, credential } = user;
  const { claims, subscribers, aliases } = rows;
  const key = keyOf(reference.namespace, reference.name);
  const object = source.get(reference.kind, key);
  const owner =
    rows.owner ??
    userOwnerFromStatus(user, object, {
      installationId: installation.id,
      claims,
      domain: served.domain,
      subscribers,
      aliases,
    });
  const isOther = owner !== undefined && owner.uid !== uid;
  return {
    kind: "ready",
    ...served,
    isAllowed,
    installationId: installation.id,
    owner,
    present: isOther ? await source.existence(reference.kind, key) : undefined,
    seenSecret: seenSecretOf(object),
    ...(credential !== undefined && isAllowed
      ? await readSecret(credential.secret, source)
      : { secret: undefined }),
    claims,
    subscribers,
    aliases,
    ...(isAllowed || owner === undefined
      ? { settings: rows.settings, hasBindings: rows.hasBindings }
      : await readUse(owner.fields, installation)),
  };
}

/** A user that is not allowed may have been served under another name. */
const readUse = async (
  account: Account,
  { database }: Installation,
): Promise<Pick<UserRows, "settings" | "hasBindings">> => ({
  settings: await readUserSettings(database, account),
  hasBindings: await hasBindings(database, account),
});

/** A read that fails is part of the state, because the user must be switched off without its Secret. */
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
