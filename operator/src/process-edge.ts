/** The parts of the process that both sources share: log, HTTP server, heartbeats, and exit. */
import { pino, type Logger } from "pino";
import { startHttpServer } from "./adapters/http/http-server.ts";
import { operatorRoutes, type OperatorView } from "./adapters/http/operator-routes.ts";
import { describeAddress, type DatabaseAddress } from "./adapters/mysql/database-url.ts";
import type { MigrationReport } from "./adapters/mysql/migrate.ts";
import type { Config } from "./config.ts";
import { heartbeatInterval } from "./installations.ts";
import { systemClock } from "./runtime/clock.ts";
import { repeat } from "./runtime/repeat.ts";

/** Ends the process with that exit status, and logs the reason. A second call changes nothing. */
export type Stop = (status: number, why: string) => void;

export const createLog = (level: string): Logger =>
  pino({ level, base: { program: "operator" }, redact: ["*.password", "*.ha1", "*.data"] });

/**
 * Ends the process once, on SIGTERM, SIGINT or a call: after `endWork`, or after `timeout` ms. An error that nothing caught also ends it,
 * because the state of the process is unknown then.
 */
export function stopOnce(log: Logger, timeout: number, endWork: (status: number) => Promise<void>): Stop {
  let isStopping = false;
  const stop: Stop = (status, why) => {
    if (isStopping) return;
    isStopping = true;
    log[status === 0 ? "info" : "fatal"](why);
    const late = new Promise((resolve) => setTimeout(resolve, timeout));
    const end = endWork(status).catch((error: unknown) => log.error({ err: error }, "not stopped cleanly"));
    Promise.race([end, late]).then(
      () => process.exit(status),
      () => process.exit(status),
    );
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, () => stop(0, `stopped by ${signal}`));
  for (const event of ["uncaughtException", "unhandledRejection"] as const)
    process.on(event, (error: unknown) => {
      log.fatal({ err: error }, event);
      stop(1, "an internal error that nothing caught");
    });
  return stop;
}

/** Serves probes, metrics and status. If it cannot, it stops the process and returns false. */
export async function serve(
  { host, port }: Config["http"],
  view: OperatorView,
  log: Logger,
  stop: Stop,
): Promise<boolean> {
  const listening = await startHttpServer(host, port, operatorRoutes(view)).catch((error: Error) => error);
  if (listening instanceof Error) stop(1, `cannot listen on ${host}:${port}: ${listening.message}`);
  else log.info({ host, port: listening.port }, "operator up");
  return !(listening instanceof Error);
}

/** Sends the heartbeats of all databases at regular times. The returned function stops them. */
export const repeatHeartbeats = (
  installations: { sendHeartbeats(): Promise<void> },
  log: Logger,
): (() => void) =>
  repeat(
    systemClock,
    heartbeatInterval,
    () => installations.sendHeartbeats(),
    (cause) => log.error({ err: cause }, "the databases' heartbeats failed"),
  );

export function logOpening(
  log: Logger,
  { server, applied, installationId, warnings }: MigrationReport,
  where: { readonly cluster?: string; readonly database?: DatabaseAddress },
): void {
  const { cluster, database } = where;
  const place = {
    ...(cluster === undefined ? {} : { cluster }),
    ...(database === undefined ? {} : { address: describeAddress(database) }),
  };
  log.info(
    { ...place, server: `${server.product} ${server.version}`, applied, installationId },
    "database open",
  );
  for (const warning of warnings) log.warn(place, warning);
}
