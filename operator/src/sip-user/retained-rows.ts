/**
 * Rows of a SipUser whose SipDomain is not to be had: its domain may have been taken from it, or be somebody else's by now, and whoever
 * knows the password could still log in there. They are found by the owner row alone.
 */
import { failureOf } from "../adapters/mysql/failure.ts";
import { LeadershipLost, type Installation } from "../adapters/mysql/installation.ts";
import { readClaims, readOwner } from "../adapters/mysql/owners.ts";
import { hasBindings, readUserSettings } from "../adapters/mysql/user-rows.ts";
import { isHeldBy } from "../ownership.ts";
import { splitKey } from "../runtime/object.ts";
import type { SipUser, UserFields } from "./resource.ts";
import { disableAccount, type RetainedRows } from "./disable-account.ts";

/** Undefined: the user owns none there. */
export async function readRetainedRows(
  { reference }: Pick<SipUser, "reference">,
  installation: Installation,
): Promise<RetainedRows | undefined> {
  const owner = await readOwner<UserFields>(installation, reference);
  if (owner === undefined) return undefined;
  return {
    owner,
    settings: await readUserSettings(installation.database, owner.fields),
    hasBindings: await hasBindings(installation.database, owner.fields),
  };
}

/** The same where no SipDomain tells the database: whatever is still on comes first. A database that is away is passed over. */
export async function findRetainedRows(
  user: SipUser,
  installations: readonly Installation[],
): Promise<readonly [RetainedRows, Installation] | undefined> {
  const found: (readonly [RetainedRows, Installation])[] = [];
  for (const installation of installations) {
    const kept = await readRetainedRows(user, installation).catch((error: unknown) => {
      if (error instanceof LeadershipLost || failureOf(error) === undefined) throw error;
      return undefined;
    });
    if (kept !== undefined) found.push([kept, installation]);
  }
  return found.find(([kept]) => disableAccount(kept).length > 0) ?? found[0];
}

/** Whether the domain of these rows belongs to another SipDomain than the user's. */
export async function isTaken(
  { domain }: SipUser,
  { owner }: RetainedRows,
  { database, id }: Installation,
): Promise<boolean> {
  const claims = await readClaims(database, "domain", [owner.fields.domain]);
  return claims.some((claim) => !isHeldBy(claim, id, { kind: "SipDomain", ...splitKey(domain) }));
}
