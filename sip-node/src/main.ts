/** A SIP node: reads its settings, opens its sockets, and runs until it has drained. Exit code 78: the configuration is not valid. */
import { randomBytes } from "node:crypto";
import { clock } from "./adapters/clock.ts";
import { ConfigError } from "./config/config.ts";
import { mountedFolders, readConfig } from "./config/read-config.ts";
import { Assembly } from "./process/assembly.ts";
import { openLog } from "./process/log.ts";
import { NodeProcess } from "./process/node-process.ts";
import { openSockets } from "./process/sockets.ts";

const version = "0.1.0";
/** In bytes; the limit of the container, if there is one. */
const memory = process.constrainedMemory() || Number.POSITIVE_INFINITY;
const readSettings = () => readConfig(process.env, clock.epoch(), memory);

async function main(): Promise<void> {
  const settings = readSettings();
  const id = randomBytes(6).toString("hex");
  const output = openLog(settings.config, id);
  const sockets = await openSockets(settings.config, output.log);
  const assembly = new Assembly({ id, version, settings, sockets, log: output.log });
  const folders = mountedFolders(process.env);
  const exit = () => process.exit(0);
  const node = new NodeProcess({
    id,
    version,
    settings,
    readSettings,
    folders,
    sockets,
    assembly,
    output,
    exit,
  });
  process.on("uncaughtException", assembly.reportInternalError);
  process.on("unhandledRejection", assembly.reportInternalError);
  process.on("SIGTERM", () => node.drain("SIGTERM"));
  process.on("SIGINT", () => node.hurry());
  await node.start();
}

main().catch((error: unknown) => {
  process.stderr.write(`strowger node: ${describe(error)}\n`);
  process.exit(error instanceof ConfigError ? 78 : 1);
});

function describe(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
