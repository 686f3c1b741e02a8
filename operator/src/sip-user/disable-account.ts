/** Switches an account off: it can neither log in nor be called. Its rows stay. Pure. */
import type { UserSettings } from "../adapters/mysql/user-rows.ts";
import type { Owner } from "../ownership.ts";
import type { UserFields } from "./resource.ts";
import type { UserAction } from "./user-action.ts";

/** Rows that a SipUser owns. */
export interface RetainedRows {
  readonly owner: Owner<UserFields>;
  readonly settings: UserSettings | undefined;
  readonly hasBindings: boolean;
}

export function disableAccount({ owner, settings, hasBindings }: RetainedRows): readonly UserAction[] {
  const { username, domain } = owner.fields;
  const account = { username, domain };
  const off = { maxContacts: null, displayName: null, ...settings, isEnabled: false };
  return [
    ...(settings?.isEnabled === false ? [] : [{ do: "saveSettings", account, settings: off } as const]),
    ...(hasBindings ? [{ do: "removeBindings", account } as const] : []),
  ];
}
