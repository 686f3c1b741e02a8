/**
 * Carries out the decision about a SipUser: the rows in one transaction, and the generation of a password. Rows that are decided together
 * with a password are removals, so they do not wait for it.
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
import type { Secret, Source } from "../runtime/source.ts";
import type { UserAction } from "./user-action.ts";

type PasswordAction = Extract<UserAction, { do: "generatePassword" }>;
type RowAction = Exclude<UserAction, PasswordAction>;

export async function apply(
  actions: readonly UserAction[],
  user: { readonly reference: ObjectReference; readonly uid: string },
  installation: Installation | undefined,
): Promise<void> {
  const rows = actions.filter((action): action is RowAction => action.do !== "generatePassword");
  if (rows.length > 0 && installation !== undefined)
    await installation.write(async (change) => {
      for (const action of rows) await applyOne(action, user.reference, change, installation);
    });
}

/** Returns the Secret; undefined: the actions generate no password. */
export async function generatePassword(
  actions: readonly UserAction[],
  uid: string,
  source: Pick<Source, "createSecret">,
): Promise<Secret | undefined> {
  const action = actions.find((one): one is PasswordAction => one.do === "generatePassword");
  // 120 bits, in characters that every phone's keyboard has.
  const password = randomBytes(15).toString("base64url");
  return action && (await source.createSecret(action.secret, { [action.key]: password }, uid));
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
