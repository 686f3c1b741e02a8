/**
 * Measures the work of a node for one call or one REGISTER, without sockets and database: processor time, bytes allocated, share of garbage
 * collection. One core is enough, and other load on the machine disturbs it little. Compare two versions in pairs:
 *
 *   node test/bench/core.ts [--work trusted,authenticated,register] [--exchanges 40000] [--rate 1000] [--runs 3]
 *   node test/bench/core.ts --against ../other-worktree [--pairs 5]
 *   node test/bench/core.ts --work trusted --profile [--functions 40]      time and allocations of each function
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { GCProfiler } from "node:v8";
import type { Work } from "./core/phone-scripts.ts";
import { record, type Recording, replay } from "./core/recording.ts";
import { startAllocationProfile, startTimeProfile } from "./core/profiles.ts";

const { values } = parseArgs({
  options: {
    work: { type: "string", default: "trusted,authenticated,register" },
    exchanges: { type: "string", default: "40000" },
    rate: { type: "string", default: "1000" },
    runs: { type: "string", default: "3" },
    against: { type: "string" },
    pairs: { type: "string", default: "5" },
    profile: { type: "boolean", default: false },
    functions: { type: "string", default: "40" },
  },
});

interface Measured {
  /** Microseconds of all threads, for one exchange. */
  readonly cpu: number;
  /** Kilobytes for one exchange. */
  readonly allocated: number;
  /** Of the main thread's time, in per cent. */
  readonly collection: number;
}

const works = values.work.split(",") as Work[];
if (values.against === undefined) for (const work of works) await measureWork(work);
else for (const work of works) await compare(work, values.against);

function planOf(work: Work) {
  return { work, exchanges: Number(values.exchanges), rate: Number(values.rate), phones: 1000 };
}

async function measureWork(work: Work): Promise<void> {
  const recording = await record(planOf(work));
  if (values.profile) return printProfiles(recording);
  const runs: Measured[] = [];
  for (let i = 0; i < Number(values.runs); i++) runs.push(await measure(recording, replay));
  const best = runs.reduce((least, one) => (one.cpu < least.cpu ? one : least));
  const all = runs.map(({ cpu }) => cpu.toFixed(1)).join(" ");
  console.log(
    `${work.padEnd(14)} ${best.cpu.toFixed(1)} µs CPU, ${best.allocated.toFixed(1)} kB allocated, ` +
      `${best.collection.toFixed(1)} % garbage collection (runs: ${all})`,
  );
}

/** One replay to warm the compiler, one with the profile of time, one with the profile of allocations. */
async function printProfiles(recording: Recording): Promise<void> {
  const { exchanges, work } = recording.plan;
  await replay(recording, () => {});
  for (const [unit, start] of [
    ["µs of the main thread", startTimeProfile],
    ["bytes allocated", startAllocationProfile],
  ] as const) {
    const stop = await start();
    await replay(recording, () => {});
    const shares = await stop();
    console.log(`${work}: ${unit} for one exchange`);
    for (const { place, amount } of shares.slice(0, Number(values.functions)))
      console.log(`${(amount / exchanges).toFixed(2).padStart(9)}  ${place}`);
  }
}

/** The last three quarters of a replay; the first one fills the tables of transactions and warms the compiler. */
async function measure(recording: Recording, play: typeof replay): Promise<Measured> {
  const { exchanges } = recording.plan;
  const begin = exchanges / 4;
  let startedAt = { cpu: process.cpuUsage(), time: performance.now(), profiler: new GCProfiler() };
  let isRunning = false;
  let measured = 0;
  let result: Measured | undefined;
  await play(recording, (count) => {
    if (!isRunning && count >= begin) {
      isRunning = true;
      globalThis.gc?.();
      startedAt = { cpu: process.cpuUsage(), time: performance.now(), profiler: new GCProfiler() };
      startedAt.profiler.start();
      measured = count;
    } else if (count === exchanges) {
      const { user, system } = process.cpuUsage(startedAt.cpu);
      const time = performance.now() - startedAt.time;
      const { statistics } = startedAt.profiler.stop() as unknown as Collections;
      const collection = statistics.reduce((sum, { cost }) => sum + cost, 0) / 10 / time;
      measured = exchanges - measured;
      result = {
        cpu: (user + system) / measured,
        allocated: allocatedIn(statistics) / measured / 1000,
        collection,
      };
    }
  });
  if (result === undefined) throw new Error("the replay did not end");
  return result;
}

interface Collections {
  readonly statistics: readonly {
    /** In microseconds. */
    readonly cost: number;
    readonly beforeGC: Heap;
    readonly afterGC: Heap;
  }[];
}
interface Heap {
  readonly heapStatistics: { readonly usedHeapSize: number };
}

/** What was added between the collections. */
function allocatedIn(collections: Collections["statistics"]): number {
  return collections.reduce((sum, { beforeGC }, i) => {
    const previous = collections[i - 1];
    if (previous === undefined) return 0;
    return sum + beforeGC.heapStatistics.usedHeapSize - previous.afterGC.heapStatistics.usedHeapSize;
  }, 0);
}

/** Replays this and the other version alternately, in one process: what disturbs the machine disturbs both. */
async function compare(work: Work, other: string): Promise<void> {
  const theirs = (await import(resolve(other, "test/bench/core/recording.ts"))) as Version;
  const plan = planOf(work);
  const recordings = [await theirs.record(plan), await record(plan)] as const;
  const pairs: (readonly [Measured, Measured])[] = [];
  for (let i = 0; i <= Number(values.pairs); i++)
    pairs.push([await measure(recordings[0], theirs.replay), await measure(recordings[1], replay)]);
  pairs.shift(); // the compiler was cold
  const ratios = pairs.map(([before, after]) => after.cpu / before.cpu).sort((a, b) => a - b);
  const least = (at: 0 | 1, name: keyof Measured): number =>
    pairs.reduce((sum, pair) => Math.min(sum, pair[at][name]), Number.POSITIVE_INFINITY);
  const range = [ratios[0], ratios[ratios.length >> 1], ratios[ratios.length - 1]].map((one) =>
    one?.toFixed(3),
  );
  console.log(
    `${work.padEnd(14)} CPU × ${(least(1, "cpu") / least(0, "cpu")).toFixed(3)} (min ${least(0, "cpu").toFixed(1)} → ` +
      `${least(1, "cpu").toFixed(1)} µs; pairs min/median/max ${range.join(" ")}), ` +
      `${least(0, "allocated").toFixed(1)} → ${least(1, "allocated").toFixed(1)} kB`,
  );
}

type Version = Readonly<{ record: typeof record; replay: typeof replay }>;
