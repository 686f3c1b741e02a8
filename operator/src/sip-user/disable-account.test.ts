import { expect, test } from "vitest";
import type { Owner } from "../ownership.ts";
import type { UserFields } from "./resource.ts";
import { disableAccount } from "./disable-account.ts";

const account = { username: "alice", domain: "example.com" };
const owner = { fields: account } as unknown as Owner<UserFields>;
const on = { isEnabled: true, maxContacts: 3, displayName: "Alice" };
const off = { ...on, isEnabled: false };

test.each([
  ["is on and bound", on, true, ["saveSettings", "removeBindings"]],
  ["is on", on, false, ["saveSettings"]],
  ["has no settings, which means on", undefined, false, ["saveSettings"]],
  ["is off and bound all the same", off, true, ["removeBindings"]],
  ["is off", off, false, []],
] as const)("a user that %s", (_what, settings, hasBindings, does) => {
  const actions = disableAccount({ owner, settings, hasBindings });
  expect(actions.map((action) => action.do)).toEqual(does);
  const [first] = actions;
  if (first?.do !== "saveSettings") return;
  const none = { maxContacts: null, displayName: null, isEnabled: false };
  expect(first).toEqual({ do: "saveSettings", account, settings: settings === undefined ? none : off });
});
