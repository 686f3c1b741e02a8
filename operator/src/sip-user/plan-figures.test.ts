import { expect, test } from "vitest";
import { isFlip, planFigures, type ObjectFigures, type Figures } from "./plan-figures.ts";

const user = (name: string, before: Figures | undefined, after: Figures): ObjectFigures => ({
  kind: "SipUser",
  key: `ns/${name}`,
  uid: name,
  before,
  after,
});
const off = { registered: false, contacts: 0 };
const on = (contacts = 1) => ({ registered: true, contacts });
const minutes = (count: number): number => count * 60_000;

const planned = (
  all: readonly ObjectFigures[],
  written: Record<string, number> = {},
  now = minutes(100),
): readonly string[] => planFigures(all, new Map(Object.entries(written)), now).map(({ uid }) => uid);

test("ADR 36: unchanged counts are not written, and neither is a user that never registered", () => {
  expect(planned([user("a", on(), on()), user("b", undefined, off), user("c", undefined, on())])).toEqual([
    "c",
  ]);
});

test("ADR 36: users that appeared or went are written first, then the longest waiting ones", () => {
  const all = [user("numbers", on(1), on(2)), user("older", on(1), on(2)), user("gone", on(), off)];
  expect(planned(all, { numbers: minutes(80), older: minutes(70) })).toEqual(["gone", "older", "numbers"]);
});

test("a changed number waits five minutes after a write; a user that appears or goes does not wait, also the second time", () => {
  const all = [user("a", on(1), on(2)), user("b", on(1), off), user("c", undefined, on())];
  expect(planned(all, { a: minutes(98), b: minutes(99) })).toEqual(["c", "b"]);
  expect(planned(all, { a: minutes(98), b: minutes(99) }, minutes(103))).toEqual(["c", "b", "a"]);
});

test("a domain's number of users does not wait, its number of contacts does", () => {
  const domain = (name: string, before: Figures, after: Figures): ObjectFigures => ({
    ...user(name, before, after),
    kind: "SipDomain",
  });
  const all = [
    domain("contacts", { users: 3, registrations: 1 }, { users: 3, registrations: 2 }),
    domain("users", { users: 3, registrations: 1 }, { users: 4, registrations: 1 }),
  ];
  expect(planned(all, { contacts: minutes(98), users: minutes(98) })).toEqual(["users"]);
});

test("a flip is a change from zero to another number, or back", () => {
  const domain = (before: Figures | undefined, after: Figures): ObjectFigures => ({
    ...user("d", before, after),
    kind: "SipDomain",
  });
  expect(isFlip(domain({ users: 3, registrations: 0 }, { users: 3, registrations: 1 }))).toBe(true);
  expect(isFlip(domain({ users: 3, registrations: 1 }, { users: 4, registrations: 2 }))).toBe(false);
  expect(planFigures([domain(undefined, { users: 0, registrations: 0 })], new Map(), 0)).toHaveLength(1);
});
