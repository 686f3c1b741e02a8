/**
 * Gives hostile datagrams to a node without sockets, and prints its heap and the sizes of its tables in the middle and at the end, as JSON. Run
 * it with --expose-gc. Arguments: the number of datagrams, the number of sources.
 */
import { setImmediate as turn } from "node:timers/promises";
import { CoreNode } from "../bench/core/core-node.ts";
import { domainName } from "../bench/core/phone-scripts.ts";
import { hostileDatagram, hostileKinds } from "./hostile-datagrams.ts";
import { seededRandom } from "./seeded-random.ts";

const [count, sources] = process.argv.slice(2).map(Number) as [number, number];
const random = seededRandom("hostile memory");
const collectGarbage = (globalThis as { gc?: () => void }).gc;
if (collectGarbage === undefined) throw new Error("run it with --expose-gc");

let sent = 0;
/** Full before the first measurement. */
const maxFlows = 20_000;
const core = new CoreNode({
  isTrusting: false,
  users: ["100", "101"],
  send: () => void (sent += 1),
  maxFlows,
});
core.overload.load.registerRate = 1_000;

async function sizes(after: number) {
  for (let i = 0; i < 60; i++) {
    core.advance(core.now + 1_000); // transactions and messages end
    await turn();
  }
  for (let i = 0; i < 3; i++) {
    collectGarbage?.();
    await turn();
  }
  const { sources: table, failedLogins, registers } = core.overload;
  const { server, client, timers } = core.node.transactions.counts;
  return {
    after,
    heap: process.memoryUsage().heapUsed,
    flows: core.flowCount,
    ...{ server, client, timers, waiting: registers.size },
    ...{ failedLogins: failedLogins.size, strangers: table.sizes.strangers, trusted: table.sizes.trusted },
    handles: process.getActiveResourcesInfo().length,
  };
}

const results = [];
for (let i = 1; i <= count; i++) {
  const kind = hostileKinds[i % hostileKinds.length]!;
  const from = random.below(sources);
  const datagram = hostileDatagram(kind, random, domainName);
  core.receive(datagram, `10.${from >> 16}.${(from >> 8) & 255}.${from & 255}`, 1_024 + random.below(60_000));
  if (i % 100 === 0) {
    core.advance(core.now + 20); // 5,000 datagrams per second
    await turn();
  }
  if (i === count / 2 || i === count) results.push(await sizes(i));
}
process.stdout.write(
  JSON.stringify({ seed: random.seed, sent, errors: core.errors.map(String).slice(0, 5), results }),
);
