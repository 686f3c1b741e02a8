/**
 * Rows of a SipUser whose SipDomain is absent or not served. The domain may belong to another SipDomain by now, and the user could still log in
 * with the old password. These rows are found by the owner row alone.
 */
import { failureOf } from "../adapters/mysql/failure.ts";
import { LeadershipLost, type Installation } from "../adapters/mysql/installation.ts";
import { readClaims, readOwner } from "../adapters/mysql/owners.ts";
import { hasBindings, readUserSettings } from "../adapters/mysql/user-rows.ts";
import { isHeldBy } from "../ownership.ts";
import { splitKey } from "../runtime/object.ts";
import type { SipUser, UserFields } from "./resource.ts";
import { disableAccount, type RetainedRows } from "./disable-account.ts";

/** Undefined: the user owns no rows there. */
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

/** For a user without a SipDomain, whose database is unknown. Rows that are switched on come first. Skips unreachable databases. */
export async function findRetainedRows(
  user: SipUser,
  installations: readonly Installation[],
): Promise<readonly [RetainedRows, Installation] | undefined> {
  const found: (readonly [RetainedRows, Installation])[] = [];
  for (const installation of installations) {
    const retained = await readRetainedRows(user, installation).catch((error: unknown) => {
      if (error instanceof LeadershipLost || failureOf(error) === undefined) throw error;
      return undefined;
    });
    if (retained !== undefined) found.push([retained, installation]);
  }
  return found.find(([retained]) => disableAccount(retained).length > 0) ?? found[0];
}

/** Whether another SipDomain than the user's has the domain of these rows. */
export async function isDomainTaken(
  { domain }: SipUser,
  { owner }: RetainedRows,
  { database, id }: Installation,
): Promise<boolean> {
  const claims = await readClaims(database, "domain", [owner.fields.domain]);
  return claims.some((claim) => !isHeldBy(claim, id, { kind: "SipDomain", ...splitKey(domain) }));
}
