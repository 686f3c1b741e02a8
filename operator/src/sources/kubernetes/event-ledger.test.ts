import { expect, test } from "vitest";
import { EventLedger } from "./event-ledger.ts";

test("the same again within ten minutes is counted under the same name, later it is said anew", () => {
  const ledger = new EventLedger();
  const first = ledger.plan("u1", "alice", "Warning Conflict taken", 0);
  expect(first).toMatchObject({
    do: "create",
    name: expect.stringMatching(/^alice\.[0-9a-f]{16}$/) as string,
  });
  const name = first.do === "create" ? first.name : "";
  expect(ledger.plan("u1", "alice", "Warning Conflict taken", 599_000)).toEqual({
    do: "count",
    name,
    count: 2,
  });
  expect(ledger.plan("u1", "alice", "Warning Conflict taken", 1_198_000)).toEqual({
    do: "count",
    name,
    count: 3,
  });
  const later = ledger.plan("u1", "alice", "Warning Conflict taken", 1_798_000);
  expect(later.do).toBe("create");
  expect(later).not.toEqual(first);
});

test("another object, and another message, are other Events", () => {
  const ledger = new EventLedger();
  const names = ["a", "b"].flatMap((uid) =>
    ["one", "two"].map((what) => {
      const plan = ledger.plan(uid, "alice", what, 0);
      return plan.do === "create" ? plan.name : plan.do;
    }),
  );
  expect(new Set(names).size).toBe(4);
});

test("one object has 25 Events at once and one more a minute; others are not held up", () => {
  const ledger = new EventLedger();
  const plans = Array.from({ length: 30 }, (_, index) => ledger.plan("u1", "alice", `event ${index}`, 0).do);
  expect(plans.filter((plan) => plan === "create")).toHaveLength(25);
  expect(ledger.plan("u2", "bob", "event", 0).do).toBe("create");
  expect(ledger.plan("u1", "alice", "later", 59_999).do).toBe("drop");
  expect(ledger.plan("u1", "alice", "later", 60_000).do).toBe("create");
  expect(ledger.plan("u1", "alice", "later still", 60_001).do).toBe("drop");
});

test("an Event that is gone is said anew", () => {
  const ledger = new EventLedger();
  ledger.plan("u1", "alice", "what", 0);
  ledger.forget("u1", "what");
  expect(ledger.plan("u1", "alice", "what", 1).do).toBe("create");
});

test("names of objects that are as long as they may be leave room", () => {
  const plan = new EventLedger().plan("u1", "a".repeat(253), "what", 0);
  expect(plan.do === "create" ? plan.name.length : 0).toBeLessThanOrEqual(253);
});
