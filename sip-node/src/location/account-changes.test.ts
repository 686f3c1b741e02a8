/** Whether users have changed: the operator's number, the times of tables, and servers that do not tell them. */
import { beforeEach, expect, it } from "vitest";
import { type AccountChanges, AccountsState, maxUnprovenAge, unknownTables } from "./account-changes.ts";

const found = (changeSeq: string, tables?: string, isTableFresh = false): AccountChanges => ({
  changeSeq,
  databaseNow: 0,
  tables,
  isTableFresh,
});
let state: AccountsState;
beforeEach(() => {
  state = new AccountsState();
  state.update(found("1", "a"), 0);
});

it("the first poll moves everything: what was read before it is not proven", () => {
  expect(new AccountsState().update(found("1", "a"), 0)).toBe("operator");
});

it("the operator's number, or the time of a table", () => {
  expect(state.update(found("1"), 1)).toBe("no");
  expect(state.update(found("2"), 2)).toBe("operator");
  expect(state.update(found("2", "a"), 3)).toBe("no");
  expect(state.update(found("2", "b"), 4)).toBe("tables");
  expect(state.update(found("2"), 5)).toBe("no");
});

it("a table that changed in this second may change again in it: the next poll moves too", () => {
  expect(state.update(found("1", "b", true), 1)).toBe("tables");
  expect(state.update(found("1", "b", true), 2)).toBe("tables");
  expect(state.update(found("1", "b"), 3)).toBe("tables");
  expect(state.update(found("1", "b"), 4)).toBe("no");
});

it("a user is proven while the last poll began less than two seconds ago", () => {
  expect([state.isProven(0, 1_999), state.isProven(0, 2_000)]).toEqual([true, false]);
  state.update(found("1"), 1_500);
  expect(state.isProven(0, 2_000)).toBe(true);
});

it("a server that does not tell the times: a user is proven for five seconds", () => {
  state.update(found("1", unknownTables), 10_000);
  expect([
    state.isProven(10_000 - maxUnprovenAge + 1, 10_000),
    state.isProven(10_000 - maxUnprovenAge, 10_000),
  ]).toEqual([true, false]);
});
