import { expect, test } from "vitest";
import type { Condition, Verdict } from "./condition.ts";
import { isReady, notReady } from "./decision.ts";
import { eventOfFlip } from "./event-of-flip.ts";

const was = (verdict: Verdict): Condition => ({
  ...verdict,
  lastTransitionTime: "2026-01-01T00:00:00Z",
  observedGeneration: 1,
});

test("bad news are a Warning with what to check; good news are told only after bad ones", () => {
  const conflict = notReady("Conflict", "taken");
  expect(eventOfFlip("SipUser", conflict, undefined)).toEqual({
    type: "Warning",
    reason: "Conflict",
    message: "taken",
  });
  expect(eventOfFlip("SipUser", isReady("well"), was(conflict))).toMatchObject({ type: "Normal" });
  expect(eventOfFlip("SipUser", isReady("well"), undefined)).toBeUndefined();
});

test("what is wrong elsewhere is told there and not at each object that waits for it", () => {
  const away = notReady("DatabaseUnavailable", "away");
  expect(eventOfFlip("SipUser", away, undefined)).toBeUndefined();
  expect(eventOfFlip("SipUser", isReady("well"), was(away))).toBeUndefined();
  expect(eventOfFlip("SipCluster", away, undefined)).toMatchObject({ type: "Warning" });
});

test("of an alarm True is the bad news, and Unknown is no warning", () => {
  const alarm = { type: "TrafficOnOneNode", status: "True", reason: "OneNode", message: "one" } as const;
  expect(eventOfFlip("SipCluster", alarm, undefined)).toMatchObject({
    type: "Warning",
    message: "TrafficOnOneNode: one",
  });
  expect(eventOfFlip("SipCluster", { ...alarm, status: "False" }, was(alarm))).toMatchObject({
    type: "Normal",
  });
  const unknown = {
    type: "Reachable",
    status: "Unknown",
    reason: "NothingFromOutside",
    message: "?",
  } as const;
  expect(eventOfFlip("SipCluster", unknown, undefined)).toMatchObject({ type: "Normal" });
});
