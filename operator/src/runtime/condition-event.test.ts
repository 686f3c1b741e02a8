import { expect, test } from "vitest";
import type { Condition, NewCondition } from "./condition.ts";
import { ready, notReady } from "./decision.ts";
import { buildConditionEvent } from "./condition-event.ts";

const was = (verdict: NewCondition): Condition => ({
  ...verdict,
  lastTransitionTime: "2026-01-01T00:00:00Z",
  observedGeneration: 1,
});

test("a problem is a Warning Event; a good condition is an Event only after a problem", () => {
  const conflict = notReady("Conflict", "taken");
  expect(buildConditionEvent("SipUser", conflict, undefined)).toEqual({
    type: "Warning",
    reason: "Conflict",
    message: "taken",
  });
  expect(buildConditionEvent("SipUser", ready("well"), was(conflict))).toMatchObject({ type: "Normal" });
  expect(buildConditionEvent("SipUser", ready("well"), undefined)).toBeUndefined();
});

test("a problem of another object is no Event of the objects that wait for it", () => {
  const away = notReady("DatabaseUnavailable", "away");
  expect(buildConditionEvent("SipUser", away, undefined)).toBeUndefined();
  expect(buildConditionEvent("SipUser", ready("well"), was(away))).toBeUndefined();
  expect(buildConditionEvent("SipCluster", away, undefined)).toMatchObject({ type: "Warning" });
});

test("for a condition that reports a problem with True, True is a Warning, and Unknown is not", () => {
  const alarm = { type: "TrafficOnOneNode", status: "True", reason: "OneNode", message: "one" } as const;
  expect(buildConditionEvent("SipCluster", alarm, undefined)).toMatchObject({
    type: "Warning",
    message: "TrafficOnOneNode: one",
  });
  expect(buildConditionEvent("SipCluster", { ...alarm, status: "False" }, was(alarm))).toMatchObject({
    type: "Normal",
  });
  const unknown = {
    type: "Reachable",
    status: "Unknown",
    reason: "NothingFromOutside",
    message: "?",
  } as const;
  expect(buildConditionEvent("SipCluster", unknown, undefined)).toMatchObject({ type: "Normal" });
});
