import { expect, test } from "vitest";
import { follow, news, type LeavingView, type ObjectView, type OperatorView } from "./operator-view.ts";

const user = (name: string, state = "Ready (generation 1)"): ObjectView => ({
  kind: "SipUser",
  key: `default/${name}`,
  state,
  isReady: state.startsWith("Ready"),
  isPending: false,
});

const leaves = (name: string, isKept: boolean): LeavingView => ({
  kind: "SipUser",
  key: `default/${name}`,
  isKept,
});

const view = (part: Partial<OperatorView>): OperatorView => ({
  problems: [],
  objects: [],
  leaving: [],
  isSettled: true,
  ...part,
});

const quiet = view({ objects: [user("alice")] });

test("an unchanged view is no news", () => {
  expect(news(quiet, view({ objects: [user("alice")] }))).toEqual([]);
});

test("an object that came, changed or went has a line", () => {
  const now = view({ objects: [user("bob")] });
  expect(news(quiet, now)).toEqual([
    "SipUser default/bob: Ready (generation 1)",
    "SipUser default/alice: removed",
  ]);
  expect(news(quiet, view({ objects: [user("alice", "Conflict: taken (generation 2)")] }))).toEqual([
    "SipUser default/alice: Conflict: taken (generation 2)",
  ]);
});

test("removed is who has no rows any more, and who is kept is told once", () => {
  const goes = view({ leaving: [leaves("alice", false)] });
  expect(news(quiet, goes)).toEqual([]);
  expect(news(goes, view({}))).toEqual(["SipUser default/alice: removed"]);
  const kept = view({ leaving: [leaves("alice", true)] });
  expect(news(goes, kept)).toEqual([
    expect.stringContaining("SipUser: not removed, they work as before: default/alice"),
  ]);
  expect(news(kept, kept)).toEqual([]);
  expect(news(kept, quiet)).toEqual(["SipUser default/alice: Ready (generation 1)"]);
});

test("many that are kept are one line for each kind", () => {
  const names = Array.from({ length: 12 }, (_, index) => `u${index + 1}`);
  const [line, ...others] = news(quiet, view({ ...quiet, leaving: names.map((name) => leaves(name, true)) }));
  expect(others).toEqual([]);
  expect(line).toContain("default/u1, default/u2, default/u3, default/u4, default/u5 and 7 more (12 in all)");
});

test("an operator that starts again has removed nobody before it has looked", () => {
  const before = view({ objects: [user("alice")], leaving: [leaves("bob", true)] });
  const starting = follow(before, view({ isSettled: false }));
  expect(news(before, starting)).toEqual([]);
  const looked = view({ objects: [user("alice")] });
  expect(news(starting, follow(starting, looked))).toEqual(["SipUser default/bob: removed"]);
});

test("a problem is told once, and so is its end", () => {
  const broken = { ...quiet, problems: ["users.yaml:3: spec.username is missing"] };
  expect(news(quiet, broken)).toEqual(broken.problems);
  expect(news(broken, broken)).toEqual([]);
  expect(news(broken, quiet)).toEqual(["the YAML is valid again"]);
});
