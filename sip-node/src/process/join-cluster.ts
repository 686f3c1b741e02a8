/** Before a node serves: it waits for a database schema that it can serve, then it meets its peers. */
import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import { schemaProblem } from "../adapters/mysql/node-table.ts";
import type { Assembly } from "./assembly.ts";
import { messageOf } from "./message-of.ts";

const retryInterval = 500;

type JoinDependencies = Pick<Assembly, "nodes" | "cluster">;

/**
 * Writes the row of this node when the schema fits. The schema is read again after that: a migration that waits until older nodes are gone
 * may have begun in between.
 */
export function waitForSchema(
  { nodes, cluster: { heartbeat } }: JoinDependencies,
  log: Logger,
): Promise<void> {
  const check = async () => {
    const problem = schemaProblem(await nodes.schema());
    if (problem !== undefined) throw new Error(problem);
  };
  return retry(log, async () => {
    await check();
    await heartbeat.writeHeartbeat();
    await check().catch(async (error: unknown) => {
      await heartbeat.removeRow();
      throw error;
    });
  });
}

/** A node that its peers do not know must not serve a phone: peers could not relay half of the responses to it. */
export const meetPeers = ({ cluster: { heartbeat } }: JoinDependencies, log: Logger): Promise<void> =>
  retry(log, async () => {
    await heartbeat.writeHeartbeat();
    await heartbeat.pingPeers();
  });

/** Tries until it succeeds. A reason that repeats is logged once. */
async function retry(log: Logger, act: () => Promise<void>): Promise<void> {
  for (let logged = ""; ; await pause(retryInterval)) {
    try {
      return await act();
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== logged) log.warn({ reason }, "not ready");
      logged = reason;
    }
  }
}
