/** The memory of a node and of Kamailio with bindings in the database when it starts, and the time until it serves. */
import { join, resolve } from "node:path";
import { startChild } from "../../support/child.ts";
import { freeUdpPort } from "../../../cli/src/up/free-port.ts";
import { untilAnswers } from "../contestants/until-answers.ts";
import { trustedAddress } from "../users.ts";
import { createKamailioDatabase, startKamailio } from "../contestants/kamailio.ts";
import type { BenchOptions } from "../options.ts";
import { memoryBytes } from "../process-time.ts";
import type { Memory } from "../results.ts";
import type { Stage } from "../stage.ts";
import { strowger, tuned } from "../contestants/names.ts";
import { addBindings, addProbe } from "./memory-rows.ts";
import { collectGarbage } from "./collect-garbage.ts";

const database = "kamailio_memory";
const main = resolve(import.meta.dirname, "../../../sip-node/src/main.ts");

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
  const probePort = await freeUdpPort(trustedAddress);
  let present = 0;
  for (const bindings of quick ? [0, 10_000] : [0, 10_000, 100_000]) {
    await addBindings(server, database, present, bindings);
    present = bindings;
    await addProbe(server, database, probePort);
    for (const measured of [await ofKamailio(stage, probePort), await ofNode(stage, probePort)]) {
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

async function ofKamailio({ cluster }: Stage, probePort: number): Promise<Measured> {
  const plan = {
    name: tuned,
    children: 2,
    memoryManager: "tlsf",
    databaseMode: 1,
    database,
    probePort,
  } as const;
  await using kamailio = await startKamailio(plan, cluster.database);
  return { contestant: tuned, bytes: memoryBytes(kamailio.pids), startMs: kamailio.startTime };
}

async function ofNode({ cluster }: Stage, probePort: number): Promise<Measured> {
  const { configFile, sip, httpUrl } = cluster.node("node-a");
  const env = { STROWGER_CONFIG: configFile, STROWGER_KEYS: join(cluster.folder, "keys.json") };
  const started = performance.now();
  await using child = startChild(process.execPath, ["--inspect=127.0.0.1:0", main], { env });
  const hasEnded = (): string | undefined =>
    child.process.exitCode === null ? undefined : `the node ended:\n${child.output().slice(-2000)}`;
  await Promise.all([
    untilAnswers({ server: sip, probePort, since: started, hasEnded }),
    untilReady(httpUrl, hasEnded),
  ]);
  const startMs = performance.now() - started;
  await collectGarbage(child.output());
  const bytes = memoryBytes([child.pid]);
  await child.end("SIGINT");
  return { contestant: strowger, bytes, startMs };
}

/** A node that warms its copy answers before it is ready. */
async function untilReady(httpUrl: string, hasEnded: () => string | undefined): Promise<void> {
  for (let count = 0; count < 5_000 && hasEnded() === undefined; count++) {
    const isReady = await fetch(`${httpUrl}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
