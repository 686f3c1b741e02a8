import { expect, test } from "vitest";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";
import { Batches } from "./batches.ts";

const ended = (value: string): PromiseSettledResult<string> => ({ status: "fulfilled", value });

function start(size = 3) {
  const clock = new VirtualClock();
  const runs: string[] = [];
  const ends: (() => void)[] = [];
  const run = async (batch: readonly string[]): Promise<readonly PromiseSettledResult<string>[]> => {
    runs.push(batch.join(" "));
    await new Promise<void>((resolve) => ends.push(resolve));
    return batch.map((item) =>
      item === "bad" ? { status: "rejected", reason: new Error("refused") } : ended(item.toUpperCase()),
    );
  };
  return { clock, runs, ends, batches: new Batches(run, { size, spacing: 50, quiet: 10, clock }) };
}

const promisesSettled = () => new Promise((resolve) => setImmediate(resolve));

test("an item starts at once, and items that follow run together when no other one arrives", async () => {
  const { clock, runs, ends, batches } = start();
  const first = batches.add("a");
  const others = [batches.add("b")];
  expect(runs).toEqual(["a"]);
  ends[0]?.();
  expect(await first).toBe("A");
  await promisesSettled();
  clock.advance(9);
  others.push(batches.add("c"));
  clock.advance(9);
  expect(runs).toEqual(["a"]);
  clock.advance(1);
  expect(runs).toEqual(["a", "b c"]);
  ends[1]?.();
  expect(await Promise.all(others)).toEqual(["B", "C"]);
  await promisesSettled();
  clock.advance(50);
  void batches.add("d");
  expect(runs).toEqual(["a", "b c", "d"]);
});

test("items that keep arriving do not delay a batch longer than the spacing", async () => {
  const { clock, runs, ends, batches } = start(100);
  const first = batches.add("a");
  ends[0]?.();
  await first;
  await promisesSettled();
  for (let time = 0; time < 50; time += 5) {
    void batches.add(`${time}`);
    clock.advance(5);
  }
  expect(runs).toEqual(["a", "0 5 10 15 20 25 30 35 40 45"]);
});

test("a full batch does not wait for the spacing, and a batch waits for the end of the one before", async () => {
  const { runs, ends, batches } = start();
  const first = batches.add("a");
  for (const item of ["b", "c", "d", "e"]) void batches.add(item);
  expect(runs).toEqual(["a"]);
  ends[0]?.();
  await first;
  await promisesSettled();
  expect(runs).toEqual(["a", "b c d"]);
});

test("an item gets its own failure", async () => {
  const { clock, ends, batches } = start();
  void batches.add("a");
  const [good, bad] = [batches.add("b"), batches.add("bad")];
  bad.catch(() => undefined);
  ends[0]?.();
  await promisesSettled();
  clock.advance(50);
  ends[1]?.();
  expect(await good).toBe("B");
  await expect(bad).rejects.toThrow("refused");
});

test("every item of a batch that throws gets the error, and the next batch runs", async () => {
  let attempts = 0;
  const clock = new VirtualClock();
  const run = (batch: readonly string[]): Promise<readonly PromiseSettledResult<string>[]> =>
    (attempts += 1) === 1 ? Promise.reject(new Error("away")) : Promise.resolve(batch.map(ended));
  const batches = new Batches(run, { size: 8, spacing: 50, quiet: 10, clock });
  await expect(batches.add("a")).rejects.toThrow("away");
  await promisesSettled();
  clock.advance(50);
  expect(await batches.add("b")).toBe("b");
});
