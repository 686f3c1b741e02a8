import { expect, test } from "vitest";
import { isFlip, planFigures, type Figured, type Figures, type LastWrite } from "./plan-figures.ts";

const user = (name: string, before: Figures | undefined, after: Figures): Figured => ({
  kind: "SipUser",
  key: `ns/${name}`,
  uid: name,
  before,
  after,
});
const off = { registered: false, contacts: 0 };
const on = (contacts = 1) => ({ registered: true, contacts });
const minutes = (count: number): number => count * 60_000;
const never: LastWrite = { any: Number.NEGATIVE_INFINITY, flip: Number.NEGATIVE_INFINITY };

const planned = (
  all: readonly Figured[],
  last: Record<string, Partial<LastWrite>> = {},
  now = minutes(100),
) =>
  planFigures(
    all,
    new Map(Object.entries(last).map(([uid, times]) => [uid, { ...never, ...times }])),
    now,
  ).map(({ uid }) => uid);

test("rule 8: what says nothing new is not written, nor is it that somebody never registered", () => {
  expect(planned([user("a", on(), on()), user("b", undefined, off), user("c", undefined, on())])).toEqual([
    "c",
  ]);
});

test("rule 8: who appears or goes is written first, then whoever waited longest", () => {
  const all = [user("numbers", on(1), on(2)), user("older", on(1), on(2)), user("gone", on(), off)];
  expect(planned(all, { numbers: { any: minutes(80) }, older: { any: minutes(70) } })).toEqual([
    "gone",
    "older",
    "numbers",
  ]);
});

test("rule 8: an object is written once in five minutes; a first flip does not wait for an earlier number", () => {
  const last = {
    a: { any: minutes(98) },
    b: { any: minutes(98) },
    c: { any: minutes(98), flip: minutes(98) },
  };
  const all = [user("a", on(1), on(2)), user("b", on(1), off), user("c", on(1), off)];
  expect(planned(all, last)).toEqual(["b"]);
  expect(planned(all, last, minutes(103)).sort()).toEqual(["a", "b", "c"]);
});

test("a flip is nothing that became something, or the other way round", () => {
  const domain = (before: Figures | undefined, after: Figures): Figured => ({
    ...user("d", before, after),
    kind: "SipDomain",
  });
  expect(isFlip(domain({ users: 3, registrations: 0 }, { users: 3, registrations: 1 }))).toBe(true);
  expect(isFlip(domain({ users: 3, registrations: 1 }, { users: 4, registrations: 2 }))).toBe(false);
  expect(planFigures([domain(undefined, { users: 0, registrations: 0 })], new Map(), 0)).toHaveLength(1);
});
