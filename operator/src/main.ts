/** The operator as a process: reads the configuration, joins source, controllers, database and HTTP, and stops cleanly. */
import { hostname } from "node:os";
import { pino, type Logger } from "pino";
import { json, startHttpServer, text, type Answer, type Routes } from "./adapters/http/http-server.ts";
import { Database } from "./adapters/mysql/database.ts";
import { describeAddress } from "./adapters/mysql/database-url.ts";
import { LeadershipLost, type Installation } from "./adapters/mysql/installation.ts";
import { openInstallation } from "./adapters/mysql/open-installation.ts";
import { keptSpecs } from "./adapters/mysql/owners.ts";
import { UnservableDatabase } from "./adapters/mysql/server.ts";
import { readConfig, type Config } from "./config.ts";
import { systemClock } from "./runtime/clock.ts";
import { ControllerLoop } from "./runtime/controller.ts";
import { StatusWriter } from "./runtime/status-writer.ts";
import { SipClusterController } from "./sip-cluster/controller.ts";
import { SipDomainController } from "./sip-domain/controller.ts";
import { SipUserController } from "./sip-user/controller.ts";
import { FilesSource } from "./sources/files/files-source.ts";
import { report } from "./sources/files/problem.ts";
import { createMetrics, type Metrics } from "./telemetry/metrics.ts";
import { observeController } from "./telemetry/observe-controller.ts";

const workersPerKind = 4;
/** Work under way has this long to end before the process does. */
const stopWithinMs = 3_000;

const config = readConfig(process.env);
if ("problems" in config) {
  for (const problem of config.problems) process.stderr.write(`strowger operator: ${problem}\n`);
  process.exit(2);
}
await run(config);

async function run(config: Config): Promise<void> {
  const log = pino({
    level: config.logLevel,
    base: { program: "operator" },
    redact: ["*.password", "*.ha1", "*.data"],
  });
  const metrics = createMetrics();
  const database = new Database(config.database);
  const isUp = { source: false, database: false };
  const installation = openInstallation(
    database,
    `${hostname()}:${process.pid}`,
    ({ server, applied, installationId, warnings }) => {
      isUp.database = true;
      const address = describeAddress(config.database);
      log.info(
        { address, server: `${server.product} ${server.version}`, applied, installationId },
        "database open",
      );
      for (const warning of warnings) log.warn({ address }, warning);
    },
  );
  const source = new FilesSource(config.files, config.data, async () => keptSpecs(await installation()));
  const loops = controllerLoops(source, installation, metrics, log, (cause) => {
    if (cause instanceof LeadershipLost) stop(1, cause.message);
  });
  const http = await startHttpServer(config.http.host, config.http.port, routes(source, metrics, isUp));
  log.info({ host: config.http.host, port: http.port, files: config.files }, "operator up");

  const stop = (code: number, why: string): void => {
    log[code === 0 ? "info" : "fatal"](why);
    source.stop();
    const ended = Promise.all(loops.map((loop) => loop.stop())).then(() =>
      Promise.all([http.stop(), database.close()]),
    );
    void Promise.race([ended, new Promise((resolve) => setTimeout(resolve, stopWithinMs))]).finally(() =>
      process.exit(code),
    );
  };
  process.once("SIGTERM", () => stop(0, "stopped by SIGTERM"));
  process.once("SIGINT", () => stop(0, "stopped by SIGINT"));

  try {
    await installation();
  } catch (error) {
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
  isUp.source = true;
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
    log[verdict.status === "True" ? "info" : "warn"](
      { kind, namespace, name, reason: verdict.reason },
      verdict.message,
    );
  });
  const options = {
    clock: systemClock,
    random: Math.random,
    seconds: () => performance.now() / 1000,
    workers: workersPerKind,
  };
  return [
    new SipClusterController(installation, status),
    new SipDomainController(installation, source, status),
    new SipUserController(installation, source, status),
  ].map(
    (controller) =>
      new ControllerLoop(
        controller,
        source,
        observeController(controller.kind, metrics, log, onFailure),
        options,
      ),
  );
}

/** Ready: the folder was read and the database opened once; from then on an outage is the conditions' matter. */
function routes(
  source: FilesSource,
  metrics: Metrics,
  isUp: { readonly source: boolean; readonly database: boolean },
): Routes {
  return new Map<string, () => Answer | Promise<Answer>>([
    ["/healthz", () => text(200, "ok")],
    [
      "/readyz",
      () =>
        isUp.source && isUp.database
          ? text(200, "ok")
          : text(503, isUp.database ? "reading files" : "no database"),
    ],
    ["/status", () => json(200, { problems: source.problems, objects: source.describe() })],
    [
      "/metrics",
      async () => ({
        status: 200,
        type: metrics.registry.contentType,
        body: await metrics.registry.metrics(),
      }),
    ],
  ]);
}
