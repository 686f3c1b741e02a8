import { expect, it } from "vitest";
import { LoadMonitor, registerRates } from "./load-monitor.ts";

/** Samples every 20 ms, as a node takes them. Returns the levels at the end of each second. */
function run(load: LoadMonitor, seconds: number, lag: number, utilization: number, startedAt = 0): string[] {
  const levels: string[] = [];
  for (let second = 0; second < seconds; second++) {
    for (let i = 1; i <= 50; i++) load.add(lag, utilization, startedAt + second * 1_000 + i * 20);
    levels.push(load.level);
  }
  return levels;
}

it("a node that works hard and keeps idle time is normal", () => {
  const load = new LoadMonitor(0);
  expect(run(load, 10, 15, 0.9)).not.toContain("busy");
  expect(load.registerRate).toBe(registerRates.most);
});

it("one long pause, as of the garbage collector, changes nothing", () => {
  const load = new LoadMonitor(0);
  run(load, 1, 0, 0.5);
  load.add(600, 1, 1_600);
  run(load, 1, 0, 0.5, 1_600);
  expect(load.level).toBe("normal");
});

it("without idle time it is busy at once, saturated with the least rate of REGISTERs, overloaded after 3 s of that, and normal when it has idle time again", () => {
  const load = new LoadMonitor(0);
  expect(run(load, 4, 0, 1)).toEqual(["saturated", "saturated", "saturated", "overloaded"]);
  expect(load.registerRate).toBe(registerRates.least);
  expect(run(load, 1, 0, 0.92, 4_000)).toEqual(["overloaded"]);
  expect(run(load, 1, 0, 0.5, 5_000)).toEqual(["normal"]);
});

it("a loop that is late by 250 ms is overloaded after 3 s, whatever its idle time", () => {
  const load = new LoadMonitor(0);
  expect(run(load, 4, 250, 0.5)).toEqual(["saturated", "saturated", "saturated", "overloaded"]);
});

it("REGISTERs that take all idle time make it busy and never overloaded: their rate falls first, and rises again", () => {
  const load = new LoadMonitor(0);
  const capacity = 2_000; // of REGISTERs per second
  let level = 0;
  let started = 0;
  for (let i = 1; i <= 2_000; i++) {
    const count = Math.min(load.registerRate, 5_000) / 50; // a flood of 5,000 per second
    for (let begun = 0; begun < count; begun++) load.registerStarted();
    started += count;
    load.add(5, Math.min(1, (count * 50) / capacity), i * 20);
    level = Math.max(level, ["normal", "busy", "overloaded"].indexOf(load.level));
  }
  expect(level).toBe(1);
  expect(started / 40).toBeGreaterThan(capacity / 2);
  expect(started / 40).toBeLessThan(capacity * 1.2);
});
