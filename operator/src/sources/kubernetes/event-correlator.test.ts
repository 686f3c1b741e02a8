import { expect, test } from "vitest";
import { EventCorrelator } from "./event-correlator.ts";

test("a repeated Event within ten minutes is counted under the same name; later it is a new one", () => {
  const correlator = new EventCorrelator();
  const first = correlator.plan("u1", "alice", "Warning Conflict taken", 0);
  expect(first).toMatchObject({
    do: "create",
    name: expect.stringMatching(/^alice\.[0-9a-f]{16}$/) as string,
  });
  const name = first.do === "create" ? first.name : "";
  expect(correlator.plan("u1", "alice", "Warning Conflict taken", 599_000)).toEqual({
    do: "count",
    name,
    count: 2,
  });
  expect(correlator.plan("u1", "alice", "Warning Conflict taken", 1_198_000)).toEqual({
    do: "count",
    name,
    count: 3,
  });
  const later = correlator.plan("u1", "alice", "Warning Conflict taken", 1_798_000);
  expect(later.do).toBe("create");
  expect(later).not.toEqual(first);
});

test("another object or another message is another Event", () => {
  const correlator = new EventCorrelator();
  const names = ["a", "b"].flatMap((uid) =>
    ["one", "two"].map((what) => {
      const plan = correlator.plan(uid, "alice", what, 0);
      return plan.do === "create" ? plan.name : plan.do;
    }),
  );
  expect(new Set(names).size).toBe(4);
});

test("one object has at most 25 Events at once and one more each minute; other objects are not delayed", () => {
  const correlator = new EventCorrelator();
  const plans = Array.from(
    { length: 30 },
    (_, index) => correlator.plan("u1", "alice", `event ${index}`, 0).do,
  );
  expect(plans.filter((plan) => plan === "create")).toHaveLength(25);
  expect(correlator.plan("u2", "bob", "event", 0).do).toBe("create");
  expect(correlator.plan("u1", "alice", "later", 59_999).do).toBe("drop");
  expect(correlator.plan("u1", "alice", "later", 60_000).do).toBe("create");
  expect(correlator.plan("u1", "alice", "later still", 60_001).do).toBe("drop");
});

test("a deleted Event is written as a new one", () => {
  const correlator = new EventCorrelator();
  correlator.plan("u1", "alice", "what", 0);
  correlator.forget("u1", "what");
  expect(correlator.plan("u1", "alice", "what", 1).do).toBe("create");
});

test("the name of an Event for an object with the longest name is valid", () => {
  const plan = new EventCorrelator().plan("u1", "a".repeat(253), "what", 0);
  expect(plan.do === "create" ? plan.name.length : 0).toBeLessThanOrEqual(253);
});
