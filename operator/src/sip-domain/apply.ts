/** Carries out the decision about a SipDomain, in one transaction. */
import { deleteDomain, insertDomain, saveDomainSettings } from "../adapters/mysql/domain-rows.ts";
import type { WriteTransaction, Installation } from "../adapters/mysql/installation.ts";
import { deleteClaim, insertClaim, removeOwner, saveOwner } from "../adapters/mysql/owners.ts";
import type { ObjectReference } from "../ownership.ts";
import type { DomainAction } from "./domain-action.ts";

export async function apply(
  actions: readonly DomainAction[],
  reference: ObjectReference,
  installation: Installation | undefined,
): Promise<void> {
  if (actions.length === 0 || installation === undefined) return;
  await installation.write(async (change) => {
    for (const action of actions) await applyOne(action, reference, change);
  });
}

function applyOne(action: DomainAction, reference: ObjectReference, change: WriteTransaction): Promise<void> {
  switch (action.do) {
    case "claim":
      return insertClaim(change, "domain", action.name, reference);
    case "release":
      return deleteClaim(change, "domain", action.name, reference);
    case "insertDomain":
      return insertDomain(change, action.name);
    case "deleteDomain":
      return deleteDomain(change, action.name);
    case "saveSettings":
      return saveDomainSettings(change, action.row);
    case "saveOwner":
      return saveOwner(change, action.owner);
    case "removeOwner":
      return removeOwner(change, reference);
  }
}
