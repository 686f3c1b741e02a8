/**
 * The lease protocol in a world of losses, stops, partitions, clocks of different pace, and nodes that come and go (docs/adr/0044). Once a 200
 * OK to a REGISTER has left, no node answers from its copy with what was before (P2). A failure prints the seed that repeats its run.
 *
 * STROWGER_RUNS is the number of runs, STROWGER_SEED repeats one.
 */
import { expect, it } from "vitest";
import { allRules, LeaseNode, type OutsideRules } from "../support/lease-node.ts";
import { LeaseWorld } from "../support/lease-world.ts";
import { type SeededRandom, seededRandom } from "../support/seeded-random.ts";

const runs = Number(process.env["STROWGER_RUNS"] ?? 200);
const duration = 30_000;

/** One run: some nodes, phones that register and call, and faults. */
async function runOnce(random: SeededRandom, rules: OutsideRules): Promise<LeaseWorld> {
  const world = new LeaseWorld(random);
  let joined = 0;
  const join = () => world.nodes.push(new LeaseNode(world, "abcdefgh".charAt(joined++), rules));
  for (let count = 2 + random.below(3); count > 0; count--) world.after(random.below(1_500), join);
  const often = (interval: number, act: (node: LeaseNode) => void) => {
    const again = () => {
      if (world.nodes.length > 0) act(random.pick(world.nodes));
      world.after(random.below(2 * interval), again);
    };
    world.after(random.below(2 * interval), again);
  };
  const settled = (promise: Promise<unknown>) => void promise.catch(() => {});
  often(random.pick([60, 300]), (node) => settled(node.call(random.pick(world.aors))));
  often(random.pick([100, 400, 1_500]), (node) => settled(node.register(random.pick(world.aors))));
  const faults: ((node: LeaseNode) => void)[] = [
    (node) => node.stop(world.amount(6_000)),
    (node) => world.database.hang(node.id, world.amount(6_000)),
    (node) => world.cut(node.id, random.pick(world.nodes).id, world.amount(8_000)),
    (node) => {
      for (const { id } of world.nodes) world.cut(node.id, id, world.amount(6_000));
    },
    (node) => {
      for (const { id } of world.nodes) world.cut(id, node.id, world.amount(6_000));
    },
    // Without any network, long enough to be marked gone; then the database receives what it had sent, and later the others do
    (node) => {
      const time = 3_500 + world.amount(1_000);
      world.database.hang(node.id, time);
      for (const { id } of world.nodes) {
        world.cut(node.id, id, time + 1_000);
        world.cut(id, node.id, time + 1_000);
      }
    },
    () => void (joined < 8 && join()),
    (node) => node.leave(),
    // A short visit: it joins while others have no list, writes, and is gone again
    (node) => {
      if (joined >= 8) return;
      world.database.hang(node.id, 2_000 + world.amount(2_000));
      join();
      const visitor = world.nodes.at(-1);
      for (const delay of [2_300, 2_400, 2_600])
        world.after(delay, () => settled(visitor?.register(random.pick(world.aors)) ?? Promise.resolve()));
      world.after(2_700, () => visitor?.leave());
    },
    // A long stop: it is marked gone, joins again, and reads what its buffers hold
    (node) => node.stop(3_500 + world.amount(1_000)),
    (node) => void (random.below(3) === 0 && node.kill()),
  ];
  often(random.pick([700, 2_500, 8_000]), (node) => random.pick(faults)(node));
  await world.run(duration);
  return world;
}

/** Returns the totals of all runs. Throws at the first one that breaks the oracle. */
async function runMany(count: number, rules: OutsideRules) {
  const total = { answers: 0, fromCopy: 0, registered: 0, rejoined: 0, left: 0 };
  for (let run = 0; run < count; run++) {
    const random = seededRandom(`copy-leases ${run}`);
    const { violation, trace, counts } = await runOnce(random, rules);
    if (violation !== undefined) throw new Error(`run ${run} with ${random.seed}: ${violation}\n${trace}`);
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += counts[name];
  }
  return total;
}

it(`P2: no copy is behind an acknowledged REGISTER, in ${runs} runs`, async () => {
  const { answers, fromCopy, registered, rejoined, left } = await runMany(runs, allRules);
  expect([registered > runs, rejoined > 0, left > 0]).toEqual([true, true, true]);
  expect(fromCopy / answers).toBeGreaterThan(0.1);
  console.log(`copy-leases: ${runs} runs`, { answers, fromCopy, registered, rejoined, left });
}, 3_600_000);

it.each<keyof OutsideRules>(["isRepeatAnnounced", "isEpochKept", "isEndedWhenLeft"])(
  "the oracle notices when the rule %s is broken",
  async (rule) => {
    await expect(runMany(Math.max(runs, 1_000), { ...allRules, [rule]: false })).rejects.toThrow(
      "is acknowledged",
    );
  },
  3_600_000,
);
