/**
 * The memory and the handles of a node are flat after many hostile datagrams: every table that a stranger can fill is bounded.
 * STROWGER_HOSTILE=1000000 makes it a million; by default there are 100,000.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

const count = Number(process.env["STROWGER_HOSTILE"] ?? 100_000);
const sources = Math.min(200_000, Math.floor(count / 20));
/** What a heap of this size may differ by from one measurement to the next. */
const tolerance = 3_000_000;

interface Sizes {
  readonly heap: number;
  readonly [table: string]: number;
}

it(`${count} hostile datagrams from ${sources} addresses: heap, tables and handles are as after half of them`, () => {
  const program = join(import.meta.dirname, "../../support/hostile-memory-program.ts");
  const args = ["--expose-gc", "--max-old-space-size=1500", program, String(count), String(sources)];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    timeout: 900_000,
  });
  expect(status, stderr).toBe(0);
  const { seed, errors, results } = JSON.parse(stdout) as {
    seed: string;
    errors: string[];
    results: [Sizes, Sizes];
  };
  console.log(seed, JSON.stringify(results));
  const [middle, end] = results;
  expect(errors, seed).toEqual([]);
  for (const table of ["server", "client", "timers", "waiting"])
    expect(end[table], `${table} ${seed}`).toBe(0);
  for (const [table, limit] of Object.entries({
    failedLogins: 100_000,
    strangers: 50_000,
    trusted: 0,
    flows: 20_000,
  }))
    expect(end[table], `${table} ${seed}`).toBeLessThanOrEqual(limit);
  expect(end["handles"], seed).toBe(middle["handles"]);
  expect(end.heap - middle.heap, seed).toBeLessThan(tolerance);
}, 1_000_000);
