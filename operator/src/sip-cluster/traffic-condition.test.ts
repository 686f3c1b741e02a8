import { expect, test } from "vitest";
import { addSample, buildTrafficCondition, type TrafficSample } from "./traffic-condition.ts";

/** `minutes` of samples, one every 30 s, with these requests a minute on nodes a, b, c. */
function over(minutes: number, ...each: readonly number[]): readonly TrafficSample[] {
  let samples: readonly TrafficSample[] = [];
  for (let at = 0; at <= minutes * 60_000; at += 5_000)
    samples = addSample(samples, { at, requests: new Map(each.map((count, i) => ["abc".charAt(i), count])) });
  return samples;
}

const judged = (samples: readonly TrafficSample[]) => buildTrafficCondition(samples, (id) => `pod-${id}`);

test("all traffic on one of several nodes for five minutes is reported, with the node", () => {
  const verdict = judged(over(5, 0, 300, 0));
  expect(verdict).toMatchObject({ type: "TrafficOnOneNode", status: "True" });
  expect(verdict?.message).toContain("pod-b");
  expect(judged(over(5, 1, 300))).toMatchObject({ status: "True" });
});

test("spread traffic, little traffic, one node: False or Unknown", () => {
  expect(judged(over(6, 290, 10))).toMatchObject({ status: "False" });
  expect(judged(over(6, 59, 0))).toMatchObject({ status: "Unknown", reason: "LittleTraffic" });
  expect(judged(over(6, 300))).toMatchObject({ status: "Unknown", reason: "OneNode" });
});

test("there is no condition before five minutes of samples", () => {
  expect(judged(over(4, 300, 0))).toBeUndefined();
  expect(judged([])).toBeUndefined();
});

test("a node that just started does not count", () => {
  const before = over(5, 300);
  const joined = addSample(before, {
    at: 330_000,
    requests: new Map([
      ["a", 300],
      ["b", 0],
    ]),
  });
  expect(judged(joined)).toMatchObject({ status: "Unknown" });
});
