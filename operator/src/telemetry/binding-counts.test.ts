import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";
import { BindingCounts } from "./binding-counts.ts";
import { ProbedGauge } from "./probed-gauge.ts";

test("a count is a series of its SipCluster for a minute", async () => {
  const clock = new VirtualClock();
  const registry = new Registry();
  const counts = new BindingCounts(clock, new ProbedGauge(registry, "strowger_bindings", "help", "cluster"));
  const series = async () => (await registry.metrics()).split("\n").filter((line) => /^strowger/.test(line));
  counts.set("voice/main", 3);
  clock.advance(30_000);
  counts.set("shop/pbx", 0);
  expect(await series()).toEqual([
    'strowger_bindings{cluster="voice/main"} 3',
    'strowger_bindings{cluster="shop/pbx"} 0',
  ]);
  clock.advance(30_000);
  expect(counts.get("voice/main")).toBeUndefined();
  expect(await series()).toEqual(['strowger_bindings{cluster="shop/pbx"} 0']);
  counts.set("voice/main", 4);
  expect(await series()).toContain('strowger_bindings{cluster="voice/main"} 4');
});
