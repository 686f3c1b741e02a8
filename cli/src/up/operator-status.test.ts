import { expect, test } from "vitest";
import {
  describeChanges,
  mergeStatus,
  type PendingRemoval,
  type ObjectStatus,
  type OperatorStatus,
} from "./operator-status.ts";

const makeUser = (name: string, state = "Ready (generation 1)"): ObjectStatus => ({
  kind: "SipUser",
  key: `default/${name}`,
  state,
  isReady: state.startsWith("Ready"),
  isPending: false,
});

const makeRemoval = (name: string, isRetained: boolean): PendingRemoval => ({
  kind: "SipUser",
  key: `default/${name}`,
  isRetained,
});

const makeStatus = (part: Partial<OperatorStatus>): OperatorStatus => ({
  problems: [],
  objects: [],
  pendingRemovals: [],
  isSettled: true,
  ...part,
});

const initial = makeStatus({ objects: [makeUser("alice")] });

test("an unchanged status has no lines", () => {
  expect(describeChanges(initial, makeStatus({ objects: [makeUser("alice")] }))).toEqual([]);
});

test("a new, changed or removed object has a line", () => {
  const now = makeStatus({ objects: [makeUser("bob")] });
  expect(describeChanges(initial, now)).toEqual([
    "SipUser default/bob: Ready (generation 1)",
    "SipUser default/alice: removed",
  ]);
  expect(
    describeChanges(initial, makeStatus({ objects: [makeUser("alice", "Conflict: taken (generation 2)")] })),
  ).toEqual(["SipUser default/alice: Conflict: taken (generation 2)"]);
});

test("an object is removed when it has no rows any more; a retained object is reported once", () => {
  const leaving = makeStatus({ pendingRemovals: [makeRemoval("alice", false)] });
  expect(describeChanges(initial, leaving)).toEqual([]);
  expect(describeChanges(leaving, makeStatus({}))).toEqual(["SipUser default/alice: removed"]);
  const retained = makeStatus({ pendingRemovals: [makeRemoval("alice", true)] });
  expect(describeChanges(leaving, retained)).toEqual([
    expect.stringContaining("SipUser: not removed, they still work: default/alice"),
  ]);
  expect(describeChanges(retained, retained)).toEqual([]);
  expect(describeChanges(retained, initial)).toEqual(["SipUser default/alice: Ready (generation 1)"]);
});

test("many retained objects of a kind have one line", () => {
  const names = Array.from({ length: 12 }, (_, index) => `u${index + 1}`);
  const [line, ...others] = describeChanges(
    initial,
    makeStatus({ ...initial, pendingRemovals: names.map((name) => makeRemoval(name, true)) }),
  );
  expect(others).toEqual([]);
  expect(line).toContain(
    "default/u1, default/u2, default/u3, default/u4, default/u5 and 7 more (12 in total)",
  );
});

test("an operator that restarts has removed nothing before it has compared the folder with the database", () => {
  const before = makeStatus({ objects: [makeUser("alice")], pendingRemovals: [makeRemoval("bob", true)] });
  const starting = mergeStatus(before, makeStatus({ isSettled: false }));
  expect(describeChanges(before, starting)).toEqual([]);
  const settled = makeStatus({ objects: [makeUser("alice")] });
  expect(describeChanges(starting, mergeStatus(starting, settled))).toEqual(["SipUser default/bob: removed"]);
});

test("a problem is reported once, and so is its end", () => {
  const broken = { ...initial, problems: ["users.yaml:3: spec.username is missing"] };
  expect(describeChanges(initial, broken)).toEqual(broken.problems);
  expect(describeChanges(broken, broken)).toEqual([]);
  expect(describeChanges(broken, initial)).toEqual(["the YAML is valid again"]);
});
