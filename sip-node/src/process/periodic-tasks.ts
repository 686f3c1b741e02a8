/** The work that a node does from time to time, beside its messages. */
import type { Logger } from "pino";
import { every } from "../adapters/clock.ts";
import { reapAll } from "../adapters/mysql/reaper.ts";
import type { Ms } from "../wire/units.ts";
import type { Assembly } from "./assembly.ts";
import type { NodeLog } from "./log.ts";
import { messageOf } from "./message-of.ts";

const reapInterval: Ms = 30_000;
/** Long enough that no server locks the account because of it. */
const loginInterval: Ms = 60_000;
const flushInterval: Ms = 1_000;
/** Nodes that start together do not work together. */
const maxJitter: Ms = 5_000;

/** Returns the function that stops all of them. */
export function startPeriodicTasks(
  { database, nodes, login, location }: Pick<Assembly, "database" | "nodes" | "login" | "location">,
  { log, flush }: NodeLog,
): () => void {
  const jitter = () => Math.random() * maxJitter;
  const reap = async () => {
    if (!location.isRecovering) await reapAll(database);
    await nodes.deleteStaleRows();
  };
  const stops = [
    every(reapInterval + jitter(), inBackground(reap, "cannot delete expired rows", log)),
    every(loginInterval + jitter(), () => void login.check()),
    every(flushInterval, flush),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

const inBackground = (act: () => Promise<void>, failure: string, log: Logger) => () =>
  void act().catch((error: unknown) => log.warn({ err: messageOf(error) }, failure));
