/** The operator as a process: reads the configuration, joins source, controllers, database and HTTP, and stops cleanly. */
import { hostname } from "node:os";
import { pino, type Logger } from "pino";
import { startHttpServer, type HttpServer } from "./adapters/http/http-server.ts";
import { operatorRoutes } from "./adapters/http/operator-routes.ts";
import { Database } from "./adapters/mysql/database.ts";
import { describeAddress } from "./adapters/mysql/database-url.ts";
import { LeadershipLost } from "./adapters/mysql/installation.ts";
import type { MigrationReport } from "./adapters/mysql/migrate.ts";
import { openInstallation } from "./adapters/mysql/open-installation.ts";
import { keptSpecs } from "./adapters/mysql/owners.ts";
import { UnservableDatabase } from "./adapters/mysql/server.ts";
import { readConfig, type Config } from "./config.ts";
import { systemClock } from "./runtime/clock.ts";
import type { Verdict } from "./runtime/condition.ts";
import { ControllerLoop } from "./runtime/controller.ts";
import type { KubernetesObject } from "./runtime/object.ts";
import { StatusWriter } from "./runtime/status-writer.ts";
import { SipClusterController } from "./sip-cluster/controller.ts";
import { SipDomainController } from "./sip-domain/controller.ts";
import { SipUserController } from "./sip-user/controller.ts";
import { FilesSource } from "./sources/files/files-source.ts";
import { report } from "./sources/files/problem.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import { observeController } from "./telemetry/observe-controller.ts";

const loopOptions = {
  clock: systemClock,
  random: Math.random,
  seconds: () => performance.now() / 1000,
  workers: 4,
};
/** Work under way has this long to end before the process does. */
const stopWithinMs = 3_000;

async function run(config: Config): Promise<void> {
  const log = pino({
    level: config.logLevel,
    base: { program: "operator" },
    redact: ["*.password", "*.ha1", "*.data"],
  });
  const metrics = createMetrics();
  const database = new Database(config.database);
  const waitsFor = new Set(["the database", "the files"]);
  const installation = openInstallation(database, `${hostname()}:${process.pid}`, (report) => {
    waitsFor.delete("the database");
    logOpening(log, config, report);
  });
  const source = new FilesSource(config.files, config.data, async () => keptSpecs(await installation()));
  const status = new StatusWriter(source, systemClock, logVerdict(log));
  const loops = [
    new SipClusterController(installation, status),
    new SipDomainController(installation, source, status),
    new SipUserController(installation, source, status),
  ].map((controller) => {
    const observer = observeController(controller.kind, metrics, log, (cause) => {
      if (cause instanceof LeadershipLost) stop(1, cause.message);
    });
    return new ControllerLoop(controller, source, observer, loopOptions);
  });

  let http: HttpServer | undefined;
  let isStopping = false;
  const stop = (code: number, why: string): void => {
    if (isStopping) return;
    isStopping = true;
    log[code === 0 ? "info" : "fatal"](why);
    source.stop();
    const ended = Promise.all(loops.map((loop) => loop.stop())).then(() =>
      Promise.all([http?.stop(), database.close()]),
    );
    const late = new Promise((resolve) => setTimeout(resolve, stopWithinMs));
    void Promise.race([ended, late]).finally(() => process.exit(code));
  };
  process.on("SIGTERM", () => stop(0, "stopped by SIGTERM"));
  process.on("SIGINT", () => stop(0, "stopped by SIGINT"));

  try {
    const view = {
      registry: metrics.registry,
      notReadyYet: () => (waitsFor.size === 0 ? undefined : `waits for ${[...waitsFor].join(" and ")}`),
      status: () => ({ problems: source.problems, objects: source.describe() }),
    };
    http = await startHttpServer(config.http.host, config.http.port, operatorRoutes(view));
    log.info({ host: config.http.host, port: http.port, files: config.files }, "operator up");
    await installation();
  } catch (error) {
    if (http === undefined)
      return stop(1, `cannot listen on ${config.http.host}:${config.http.port}: ${(error as Error).message}`);
    if (error instanceof UnservableDatabase)
      return stop(1, `the database cannot be served: ${error.message}`);
    log.warn({ err: error }, "the database is away; tried again until it is there");
  }
  await source.start({
    changed: (change) => {
      for (const loop of loops) loop.changed(change);
    },
    settled: () => {
      for (const loop of loops) loop.sweep();
    },
    problems: (problems) => {
      metrics.fileProblems.set(problems.length);
      if (problems.length === 0) log.info("every file is valid again");
      else log.error({ problems }, `what is not valid stays as it was:\n${report(problems)}`);
    },
  });
  waitsFor.delete("the files");
  for (const loop of loops) loop.start();
}

function logOpening(
  log: Logger,
  config: Config,
  { server, applied, installationId, warnings }: MigrationReport,
): void {
  const address = describeAddress(config.database);
  log.info(
    { address, server: `${server.product} ${server.version}`, applied, installationId },
    "database open",
  );
  for (const warning of warnings) log.warn({ address }, warning);
}

function logVerdict(log: Logger): (object: KubernetesObject, verdict: Verdict) => void {
  return ({ kind, metadata: { namespace, name } }, { status, reason, message }) =>
    log[status === "True" ? "info" : "warn"]({ kind, namespace, name, reason }, message);
}

const config = readConfig(process.env);
if ("problems" in config) {
  for (const problem of config.problems) process.stderr.write(`strowger operator: ${problem}\n`);
  process.exit(2);
}
await run(config);
