/** Which nodes a node marks gone. */
import { beforeEach, expect, it } from "vitest";
import { cycleInterval, NodeCycle } from "./node-cycle.ts";
import type { DirectoryNode } from "./node-directory.ts";

const address = { host: "h", port: 1 };
const row = (id: string, isStale = false): DirectoryNode => ({ id, address, isGone: false, isStale });

let now: number;
let rows: readonly DirectoryNode[];
let heard: readonly string[];
let marked: string[];
let cycle: NodeCycle;

beforeEach(() => {
  [now, rows, heard, marked] = [0, [row("self")], [], []];
  cycle = new NodeCycle("self", {
    directory: {
      ...{ join: async () => {}, beat: async () => {}, list: async () => rows, remove: async () => {} },
      markGone: async (ids) => void marked.push(...ids),
    },
    leases: { gate: { join: () => {} }, receiveList: () => {}, withdraw: () => {} } as never,
    now: () => now,
    heartbeat: () => ({
      ...{ id: "self", address, isDraining: false, outsideReceivedAgo: undefined },
      load: { transactions: 0, callsPerMinute: 0, requestsPerMinute: 0 },
    }),
    isHeard: (id) => heard.includes(id),
    listed: () => {},
    failed: () => {},
  });
});

async function runFor(duration: number): Promise<void> {
  for (const end = now + duration; now < end; now += cycleInterval) await cycle.run();
}

it("a node with old heartbeats that is not heard is marked gone; one that is heard is not, because only the database was away", async () => {
  await runFor(2_000);
  rows = [row("self"), row("silent", true), row("heard", true), row("fresh")];
  heard = ["heard"];
  await runFor(500);
  expect(marked).toEqual(["silent"]);
});

it("a node that starts listens for a second before it marks a node gone", async () => {
  rows = [row("self"), row("silent", true)];
  await runFor(1_000);
  expect(marked).toEqual([]);
  await runFor(500);
  expect(marked).toEqual(["silent"]);
});
