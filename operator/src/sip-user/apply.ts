/**
 * Carries out the decision about a SipUser: first the rows in one transaction, then the generation of a password. Rows that are decided
 * together with a password are removals, so they do not wait for it.
 */
import { randomBytes } from "node:crypto";
import type { WriteTransaction, Installation } from "../adapters/mysql/installation.ts";
import {
  deleteClaim,
  transferOwnership,
  insertClaim,
  removeOwner,
  saveOwner,
} from "../adapters/mysql/owners.ts";
import {
  deleteAlias,
  deleteSubscriber,
  insertAlias,
  insertSubscriber,
  removeBindings,
  saveUserSettings,
  updateSubscriber,
} from "../adapters/mysql/user-rows.ts";
import type { ObjectReference } from "../ownership.ts";
import type { Source } from "../runtime/source.ts";
import type { UserAction } from "./user-action.ts";

type RowAction = Exclude<UserAction, { do: "generatePassword" }>;

export async function apply(
  actions: readonly UserAction[],
  user: { readonly reference: ObjectReference; readonly uid: string },
  installation: Installation | undefined,
  source: Source,
): Promise<void> {
  const rows = actions.filter((action): action is RowAction => action.do !== "generatePassword");
  if (rows.length > 0 && installation !== undefined)
    await installation.write(async (change) => {
      for (const action of rows) await applyOne(action, user.reference, change, installation);
    });
  // 120 bits, in characters that every phone's keyboard has.
  for (const action of actions)
    if (action.do === "generatePassword")
      await source.createSecret(
        action.secret,
        { [action.key]: randomBytes(15).toString("base64url") },
        user.uid,
      );
}

function applyOne(
  action: RowAction,
  reference: ObjectReference,
  change: WriteTransaction,
  { subscriber }: Installation,
): Promise<void> {
  switch (action.do) {
    case "claim":
      return insertClaim(change, "user", action.name, reference);
    case "release":
      return deleteClaim(change, "user", action.name, reference);
    case "insertSubscriber":
      return insertSubscriber(change, subscriber, action.account, action.credential);
    case "updateSubscriber":
      return updateSubscriber(change, subscriber, action.account, action.credential);
    case "deleteSubscriber":
      return deleteSubscriber(change, action.account);
    case "removeBindings":
      return removeBindings(change, action.account);
    case "saveSettings":
      return saveUserSettings(change, action.account, action.settings);
    case "insertAlias":
      return insertAlias(change, action.alias, action.account);
    case "deleteAlias":
      return deleteAlias(change, action.alias, action.account);
    case "saveOwner":
      return saveOwner(change, action.owner);
    case "handOver":
      return transferOwnership(change, reference, action.owner);
    case "removeOwner":
      return removeOwner(change, reference);
  }
}
