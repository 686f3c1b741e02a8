/** The operator as a process: reads the configuration, joins source, controllers, database and HTTP, and stops cleanly. */
import { hostname } from "node:os";
import { pino, type Logger } from "pino";
import { startHttpServer } from "./adapters/http/http-server.ts";
import { operatorRoutes } from "./adapters/http/operator-routes.ts";
import { Database } from "./adapters/mysql/database.ts";
import { describeAddress, type DatabaseAddress } from "./adapters/mysql/database-url.ts";
import { LeadershipLost, type Installation } from "./adapters/mysql/installation.ts";
import type { MigrationReport } from "./adapters/mysql/migrate.ts";
import { openInstallation } from "./adapters/mysql/open-installation.ts";
import { keptSpecs } from "./adapters/mysql/owners.ts";
import { UnservableDatabase } from "./adapters/mysql/server.ts";
import { readConfig, type Config, type FilesConfig } from "./config.ts";
import { systemClock } from "./runtime/clock.ts";
import { ControllerLoop } from "./runtime/controller.ts";
import { StatusWriter } from "./runtime/status-writer.ts";
import { SipClusterController } from "./sip-cluster/controller.ts";
import { SipDomainController } from "./sip-domain/controller.ts";
import { SipUserController } from "./sip-user/controller.ts";
import { FilesSource, type FilesListener } from "./sources/files/files-source.ts";
import { report } from "./sources/files/problem.ts";
import { createMetrics, type Metrics } from "./telemetry/metrics.ts";
import { observeController } from "./telemetry/observe-controller.ts";

const loopOptions = {
  clock: systemClock,
  random: Math.random,
  seconds: () => performance.now() / 1000,
  workers: 4,
};

/** Work under way has this long to end before the process does. */
const stopWithinMs = 3_000;

async function run(config: Config & { readonly source: FilesConfig }): Promise<void> {
  const { files, data, database: address } = config.source;
  const log = pino({
    level: config.logLevel,
    base: { program: "operator" },
    redact: ["*.password", "*.ha1", "*.data"],
  });
  const metrics = createMetrics();
  const database = new Database(address);
  const waitsFor = new Set(["the database", "the files"]);
  const installation = openInstallation(database, `${hostname()}:${process.pid}`, (report) => {
    waitsFor.delete("the database");
    logOpening(log, address, report);
  });
  const source = new FilesSource(files, data, async () => keptSpecs(await installation()));
  const loops = controllerLoops(source, installation, metrics, log, (cause) => {
    if (cause instanceof LeadershipLost) stop(1, cause.message);
  });
  const stop = stopOnce(log, async () => {
    source.stop();
    await Promise.all(loops.map((loop) => loop.stop()));
    await database.close();
  });
  process.on("SIGTERM", () => stop(0, "stopped by SIGTERM"));
  process.on("SIGINT", () => stop(0, "stopped by SIGINT"));

  const { host, port } = config.http;
  const view = {
    registry: metrics.registry,
    notReadyYet: () => (waitsFor.size === 0 ? undefined : `waits for ${[...waitsFor].join(" and ")}`),
    status: () => ({ problems: source.problems, objects: source.describe() }),
  };
  const listening = await startHttpServer(host, port, operatorRoutes(view)).catch((error: Error) => error);
  if (listening instanceof Error) return stop(1, `cannot listen on ${host}:${port}: ${listening.message}`);
  log.info({ host, port: listening.port, files }, "operator up");

  const opened = await installation().catch((error: Error) => error);
  if (opened instanceof UnservableDatabase)
    return stop(1, `the database cannot be served: ${opened.message}`);
  if (opened instanceof Error)
    log.warn({ err: opened }, "the database is away; tried again until it is there");

  await source.start(listener(loops, metrics, log));
  waitsFor.delete("the files");
  for (const loop of loops) loop.start();
}

function controllerLoops(
  source: FilesSource,
  installation: () => Promise<Installation>,
  metrics: Metrics,
  log: Logger,
  onFailure: (cause: unknown) => void,
): readonly ControllerLoop[] {
  const status = new StatusWriter(source, systemClock, ({ kind, metadata: { namespace, name } }, verdict) => {
    const level = verdict.status === "True" ? "info" : "warn";
    log[level]({ kind, namespace, name, reason: verdict.reason }, verdict.message);
  });
  let opened: Installation | undefined;
  const installations = {
    of: async () => (opened = await installation()),
    open: () => (opened === undefined ? [] : [opened]),
    unreachable: () => [],
  };
  const controllers = [
    new SipClusterController({
      installations,
      source,
      status,
      clock: systemClock,
    }),
    new SipDomainController(installation, source, status),
    new SipUserController(installation, source, status),
  ];
  return controllers.map((controller) => {
    const observer = observeController(controller.kind, metrics, log, onFailure);
    return new ControllerLoop(controller, source, observer, loopOptions);
  });
}

/** What the folder tells goes to every controller; each knows what concerns it. */
const listener = (loops: readonly ControllerLoop[], metrics: Metrics, log: Logger): FilesListener => ({
  changed(change) {
    for (const loop of loops) loop.changed(change);
  },
  settled() {
    for (const loop of loops) loop.sweep();
  },
  event({ kind, namespace, name }, { type, reason, message }) {
    log[type === "Normal" ? "info" : "warn"]({ kind, namespace, name, reason }, message);
  },
  problems(problems) {
    metrics.fileProblems.set(problems.length);
    if (problems.length === 0) log.info("every file is valid again");
    else log.error({ problems }, `what is not valid stays as it was:\n${report(problems)}`);
  },
});

/** Ends the process once, with its status and the reason: after the work under way, or when that takes too long. */
function stopOnce(log: Logger, endWork: () => Promise<void>): (status: number, why: string) => void {
  let isStopping = false;
  return (status, why) => {
    if (isStopping) return;
    isStopping = true;
    log[status === 0 ? "info" : "fatal"](why);
    const late = new Promise((resolve) => setTimeout(resolve, stopWithinMs));
    void Promise.race([endWork(), late]).finally(() => process.exit(status));
  };
}

function logOpening(
  log: Logger,
  database: DatabaseAddress,
  { server, applied, installationId, warnings }: MigrationReport,
): void {
  const address = describeAddress(database);
  log.info(
    { address, server: `${server.product} ${server.version}`, applied, installationId },
    "database open",
  );
  for (const warning of warnings) log.warn({ address }, warning);
}

const config = readConfig(process.env);
if ("problems" in config) {
  for (const problem of config.problems) process.stderr.write(`strowger operator: ${problem}\n`);
  process.exit(2);
}
if (config.source.kind === "kubernetes") throw new Error("not joined yet");
await run({ ...config, source: config.source });
