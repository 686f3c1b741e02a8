/** How rows of a SipUser go: with their object, or with the domain that they are in. Pure. */
import type { Owner } from "../ownership.ts";
import type { UserFields } from "./resource.ts";
import type { UserAction } from "./user-action.ts";
import { claimName, type UserRows } from "./current-state.ts";

/** Knows only the owner row: the object is gone, or is being deleted. */
export function decideRemoval({ deletionPolicy, fields }: Owner<UserFields>): readonly UserAction[] {
  return [...(deletionPolicy === "Delete" ? removeRows(fields) : []), { do: "removeOwner" }];
}

/** A SipDomain that was made anew may have another domain than before: its users go with it. */
export function leaveOldDomain({ owner, domain: now }: UserRows): readonly UserAction[] {
  if (owner === undefined || owner.fields.domain === now) return [];
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
