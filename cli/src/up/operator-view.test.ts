import { expect, test } from "vitest";
import { news, type OperatorView } from "./operator-view.ts";

const quiet: OperatorView = {
  problems: [],
  states: new Map([["SipUser default/alice", "Ready (generation 1)"]]),
};

test("an unchanged view is no news", () => {
  expect(news(quiet, { problems: [], states: new Map(quiet.states) })).toEqual([]);
});

test("an object that came, changed or went has a line", () => {
  const now = { problems: [], states: new Map([["SipUser default/bob", "Ready (generation 1)"]]) };
  expect(news(quiet, now)).toEqual([
    "SipUser default/bob: Ready (generation 1)",
    "SipUser default/alice: removed",
  ]);
});

test("a problem is told once, and so is its end", () => {
  const broken = { ...quiet, problems: ["users.yaml:3: spec.username is missing"] };
  expect(news(quiet, broken)).toEqual(broken.problems);
  expect(news(broken, broken)).toEqual([]);
  expect(news(broken, quiet)).toEqual(["the YAML is valid again"]);
});
