/** Whom the operator asks, and when; that nodes answer is test/parts/fleet/probe.test.ts. */
import { expect, test } from "vitest";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";
import { NodeMonitor } from "./node-monitor.ts";

const target = { name: "pbx-1", address: "10.0.0.1", port: 5060 };
const uri = { host: "pbx.example", port: 5060 };
const settled = () => new Promise((resolve) => setImmediate(resolve));

function setUp(answers: readonly (() => Promise<number | undefined>)[]) {
  const clock = new VirtualClock();
  const left = [...answers];
  const failures: unknown[] = [];
  let changes = 0;
  let asked = 0;
  const watch = new NodeMonitor(
    clock,
    (cause) => failures.push(cause),
    async (targets) => {
      asked += 1;
      const status = await (left.shift() ?? (() => Promise.resolve(200)))();
      return targets.map(({ name }) => ({ name, status }));
    },
  );
  const look = async (targets = [target]): Promise<number> => {
    watch.probe(targets, uri, () => (changes += 1));
    await settled();
    return asked;
  };
  return { clock, watch, failures, look, changes: () => changes };
}

test("a probe thread that could not be started is reported, and tried again after 5 s", async () => {
  const { clock, watch, failures, look, changes } = setUp([() => Promise.reject(new Error("no thread"))]);
  expect(await look()).toBe(1);
  expect(failures).toEqual([new Error("no thread")]);
  expect(watch.report).toBeUndefined();
  clock.advance(4_999);
  expect(await look()).toBe(1);
  clock.advance(1);
  expect(await look()).toBe(2);
  expect(watch.report?.answers).toEqual([{ name: "pbx-1", status: 200 }]);
  expect(changes()).toBe(1);
});

test("a target with an answer is probed every 30 s, without one every 5 s, and only a changed result is reported", async () => {
  const silence = () => Promise.resolve(undefined);
  const { clock, look, changes } = setUp([silence, silence]);
  await look();
  clock.advance(5_000);
  expect([await look(), changes()]).toEqual([2, 1]);
  clock.advance(5_000);
  expect([await look(), changes()]).toEqual([3, 2]);
  clock.advance(29_999);
  expect(await look()).toBe(3);
  clock.advance(1);
  expect([await look(), changes()]).toEqual([4, 2]);
});

test("there is one probe at a time, and none without an IPv4 address or an address of the exchange", async () => {
  const { clock, watch, look } = setUp([() => new Promise(() => undefined)]);
  expect(await look([{ ...target, address: "2001:db8::1" }])).toBe(0);
  watch.probe([target], undefined, () => undefined);
  expect(await look()).toBe(1);
  clock.advance(60_000);
  expect(await look()).toBe(1);
});
