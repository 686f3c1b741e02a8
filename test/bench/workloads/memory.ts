/** The memory of a node and of Kamailio with bindings in the database when it starts, and the time until it serves. */
import { join, resolve } from "node:path";
import { startChild } from "../../support/child.ts";
import { createKamailioDatabase, startKamailio } from "../contestants/kamailio.ts";
import type { BenchOptions } from "../options.ts";
import { memoryBytes } from "../process-time.ts";
import type { Memory } from "../results.ts";
import type { Stage } from "../stage.ts";
import { strowger, tuned } from "../contestants/names.ts";
import { addKamailioBindings, addStrowgerBindings } from "./memory-rows.ts";
import { collectGarbage } from "./collect-garbage.ts";

const database = "kamailio_memory";
const main = resolve(import.meta.dirname, "../../../sip-node/src/main.ts");
const patience = 120_000;

/** It ends the node of the stage: no other node of the exchange may run. */
export async function measureMemory(
  stage: Stage,
  { quick }: BenchOptions,
  progress: (text: string) => void,
): Promise<Memory[]> {
  const server = stage.cluster.database;
  await stage.cluster.node("node-a").child.end("SIGINT");
  for (const table of ["strowger_flow", "location", "strowger_aor"])
    await server.query(`DELETE FROM strowger.${table}`);
  await createKamailioDatabase(server, database);
  const found: Memory[] = [];
  let present = 0;
  for (const bindings of quick ? [0, 10_000] : [0, 10_000, 100_000]) {
    await addStrowgerBindings(server, present, bindings);
    await addKamailioBindings(server, database, present, bindings);
    present = bindings;
    for (const measured of [await ofKamailio(stage), await ofNode(stage)]) {
      found.push({ ...measured, bindings });
      const mebibytes = (measured.bytes / 2 ** 20).toFixed(1);
      progress(
        `memory, ${measured.contestant}, ${bindings} bindings: ${mebibytes} MiB, ready after ${Math.round(measured.startMs)} ms`,
      );
    }
  }
  return found;
}

type Measured = Omit<Memory, "bindings">;

async function ofKamailio({ cluster }: Stage): Promise<Measured> {
  const plan = { name: tuned, children: 2, memoryManager: "tlsf", databaseMode: 1, database } as const;
  await using kamailio = await startKamailio(plan, cluster.database);
  return { contestant: tuned, bytes: memoryBytes(kamailio.pids), startMs: kamailio.startTime };
}

async function ofNode({ cluster }: Stage): Promise<Measured> {
  const { configFile, httpUrl } = cluster.node("node-a");
  const env = { STROWGER_CONFIG: configFile, STROWGER_KEYS: join(cluster.folder, "keys.json") };
  const started = performance.now();
  await using child = startChild(process.execPath, ["--inspect=127.0.0.1:0", main], { env });
  const isReady = (): Promise<boolean> =>
    fetch(`${httpUrl}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) {
    if (performance.now() - started > patience || child.process.exitCode !== null)
      throw new Error(`the node is not ready:\n${child.output().slice(-2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const startMs = performance.now() - started;
  await collectGarbage(child);
  const bytes = memoryBytes([child.pid]);
  await child.end("SIGINT");
  return { contestant: strowger, bytes, startMs };
}
