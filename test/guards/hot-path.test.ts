/**
 * What one call costs, in counts that no load of the machine changes: reads of the database, hashes, promises, and bytes allocated. A number
 * that rises shows work that was added to the path of every call. `node test/bench/core.ts --profile` shows where.
 */
import { createHook } from "node:async_hooks";
import type * as Crypto from "node:crypto";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test, vi } from "vitest";
import type { Work } from "../bench/core/phone-scripts.ts";
import { record, type Recording, replay } from "../bench/core/recording.ts";

const counts = vi.hoisted(() => ({ hashes: 0, hashObjects: 0 }));

vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof Crypto>();
  const counted =
    <Arguments extends unknown[], Result>(name: keyof typeof counts, of: (...given: Arguments) => Result) =>
    (...given: Arguments): Result => {
      counts[name] += 1;
      return of(...given);
    };
  return {
    ...crypto,
    hash: counted("hashes", crypto.hash as (...given: unknown[]) => string),
    createHmac: counted("hashObjects", crypto.createHmac),
    createHash: counted("hashObjects", crypto.createHash),
  };
});

const plan = { exchanges: 400, rate: 1000, phones: 40 };
/** The compiler has seen the code, and the first look-ups were read. */
const warm = 160;

interface Costs {
  readonly databaseReads: number;
  readonly hashes: number;
  /** Objects of `createHash` and `createHmac`. */
  readonly hashObjects: number;
  readonly promises: number;
}

/** For one exchange. */
async function countsOf(recording: Recording): Promise<Costs> {
  let promises = 0;
  const hook = createHook({ init: (_, type) => void (promises += type === "PROMISE" ? 1 : 0) });
  let before: Costs | undefined;
  let after: Costs | undefined;
  const core = await replay(recording, (begun, { databaseReads }) => {
    if (begun < warm) return;
    if (before === undefined) hook.enable();
    after = { databaseReads, promises, ...counts };
    before ??= after;
  });
  hook.disable();
  expect(core.errors).toEqual([]);
  const of = (name: keyof Costs) => ((after?.[name] ?? 0) - (before?.[name] ?? 0)) / (plan.exchanges - warm);
  return {
    databaseReads: of("databaseReads"),
    hashes: of("hashes"),
    hashObjects: of("hashObjects"),
    promises: of("promises"),
  };
}

/**
 * Bytes allocated for each byte that the node received and sent: the traffic of the same run is the reference. The median of many steps: one
 * in which the collector ran has no meaning.
 */
async function allocatedPerByte(recording: Recording): Promise<number> {
  const perExchange = (recording.bytes.length + recording.sent.bytes) / plan.exchanges;
  const steps: number[] = [];
  let last = { used: 0, begun: 0 };
  await replay(recording, (begun) => {
    const used = getHeapStatistics().used_heap_size;
    if (begun > warm) steps.push((used - last.used) / (begun - last.begun));
    last = { used: getHeapStatistics().used_heap_size, begun };
  });
  const inOrder = steps.filter((step) => step > 0).sort((a, b) => a - b);
  return (inOrder[inOrder.length >> 1] ?? 0) / perExchange;
}

test.each<readonly [Work, Costs, number]>([
  ["trusted", { databaseReads: 0, hashes: 5.6, hashObjects: 0, promises: 18 }, 8.2],
  ["authenticated", { databaseReads: 0, hashes: 13.6, hashObjects: 0, promises: 57 }, 9.8],
  ["register", { databaseReads: 0, hashes: 8, hashObjects: 0, promises: 40 }, 25],
])(
  "%s: %j for one exchange, and %f bytes allocated for each byte on the network",
  async (work, most, bytes) => {
    const recording = await record({ work, ...plan });
    const found = await countsOf(recording);
    const allocated = await allocatedPerByte(recording);
    for (const [name, count] of Object.entries(found))
      expect.soft(count, name).toBeLessThanOrEqual(most[name as keyof Costs]);
    expect.soft(allocated, "allocated").toBeLessThan(bytes);
  },
  60_000,
);

/** Bytes that a node keeps for a call that has ended, for the 32 s in which retransmissions may arrive. */
async function keptFor(recording: Recording): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const used = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const core = await replay(recording, () => {});
  const before = used();
  expect(core.node.transactions.counts.server).toBeGreaterThan(plan.exchanges);
  core.advance(core.now + 60_000);
  expect(core.node.transactions.counts).toEqual({ server: 0, client: 0, timers: 0 });
  return (before - used()) / plan.exchanges;
}

test("a call that has ended keeps at most 5.8 kB: its two responses and its keys, no part of a request", async () => {
  const kept = await keptFor(await record({ work: "trusted", ...plan }));
  expect(kept).toBeGreaterThan(1_000); // it was measured
  expect(kept).toBeLessThan(5_800);
}, 60_000);
