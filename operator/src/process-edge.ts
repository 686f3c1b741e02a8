/** The edge of the process: its log, its HTTP side, and its one way out. */
import { pino, type Logger } from "pino";
import { startHttpServer } from "./adapters/http/http-server.ts";
import { operatorRoutes, type OperatorView } from "./adapters/http/operator-routes.ts";
import { describeAddress, type DatabaseAddress } from "./adapters/mysql/database-url.ts";
import type { MigrationReport } from "./adapters/mysql/migrate.ts";
import type { Config } from "./config.ts";

/** Ends the process with that status, for the reason given. A second call changes nothing. */
export type Stop = (status: number, why: string) => void;

export const createLog = (level: string): Logger =>
  pino({ level, base: { program: "operator" }, redact: ["*.password", "*.ha1", "*.data"] });

/**
 * On SIGTERM, SIGINT or a call, ends the process once: after `endWork`, or when that takes longer than `patience` ms. What nobody caught
 * ends it too: what it would do from then on nobody knows.
 */
export function stopOnce(log: Logger, patience: number, endWork: (status: number) => Promise<void>): Stop {
  let isStopping = false;
  const stop: Stop = (status, why) => {
    if (isStopping) return;
    isStopping = true;
    log[status === 0 ? "info" : "fatal"](why);
    const late = new Promise((resolve) => setTimeout(resolve, patience));
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
      stop(1, "an error of ours that nobody caught");
    });
  return stop;
}

/** Serves probes, metrics and status; stops the process where it cannot. Returns whether it can. */
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
