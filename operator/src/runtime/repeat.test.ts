import { expect, test } from "vitest";
import { repeat } from "./repeat.ts";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";

test("a call that failed or has not ended does not prevent the next call; after the cancellation there is none", async () => {
  const clock = new VirtualClock();
  const rounds = [Promise.reject(new Error("first")), new Promise(() => undefined), Promise.resolve()];
  const failures: unknown[] = [];
  const callOff = repeat(
    clock,
    1_000,
    () => rounds.shift() ?? Promise.resolve(),
    (cause) => failures.push(cause),
  );
  clock.advance(999);
  expect(rounds).toHaveLength(3);
  clock.advance(2_001);
  expect(rounds).toHaveLength(0);
  await Promise.resolve();
  expect(failures).toEqual([new Error("first")]);
  rounds.push(Promise.resolve());
  callOff();
  clock.advance(5_000);
  expect(rounds).toHaveLength(1);
});
