/** Removes the rows of a SipUser: with their object, or when its SipDomain changes to another domain. Pure. */
import type { Owner } from "../ownership.ts";
import type { UserFields } from "./resource.ts";
import type { UserAction } from "./user-action.ts";
import { claimName, type UserRows } from "./current-state.ts";

/** The decision for an object that is gone or being deleted. Only its owner row is known. */
export function decideRemoval({ deletionPolicy, fields }: Owner<UserFields>): readonly UserAction[] {
  return [...(deletionPolicy === "Delete" ? removeRows(fields) : []), { do: "removeOwner" }];
}

/** A SipDomain that was deleted and created again may have another domain. The rows in the old domain are removed. */
export function leaveOldDomain({ owner, domain: present }: UserRows): readonly UserAction[] {
  if (owner === undefined || owner.fields.domain === present) return [];
  const { username, domain, aliases } = owner.fields;
  const names = [username, ...aliases].map((name) => claimName(name, domain));
  const rows = owner.deletionPolicy === "Delete" ? removeRows(owner.fields) : [];
  return [...rows, ...names.map((name) => ({ do: "release", name }) as const)];
}

function removeRows({ username, domain, aliases }: UserFields): readonly UserAction[] {
  const account = { username, domain };
  return [
    ...aliases.map((alias) => ({ do: "deleteAlias", account, alias }) as const),
    { do: "deleteSubscriber", account },
    { do: "removeBindings", account },
  ];
}
