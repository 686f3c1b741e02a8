/** The operator of a folder of YAML files and one database: reads, reconciles, and serves until it is told to stop. */
import { hostname } from "node:os";
import { Database } from "./adapters/mysql/database.ts";
import { keptSpecs } from "./adapters/mysql/owners.ts";
import { MigrationWaits } from "./adapters/mysql/schema-now.ts";
import { UnservableDatabase } from "./adapters/mysql/server.ts";
import type { Config, FilesConfig } from "./config.ts";
import { createControllers } from "./controllers.ts";
import { beatEvery } from "./installations.ts";
import { OneInstallation } from "./installations/one-installation.ts";
import { createLog, logOpening, serve, stopOnce } from "./process-edge.ts";
import { systemClock } from "./runtime/clock.ts";
import { splitKey } from "./runtime/object.ts";
import { repeat } from "./runtime/repeat.ts";
import { FilesSource } from "./sources/files/files-source.ts";
import { report } from "./sources/files/problem.ts";
import { createMetrics } from "./telemetry/metrics.ts";

/** Work under way has this long to end before the process does. */
const patience = 3_000;

export async function runFiles(config: Config, { files, data, database }: FilesConfig): Promise<void> {
  const log = createLog(config.logLevel);
  const metrics = createMetrics();
  const waitsFor = new Set(["the database", "the files"]);
  const installation = new OneInstallation(new Database(database), {
    name: `${hostname()}:${process.pid}`,
    onOpen(report) {
      waitsFor.delete("the database");
      logOpening(log, report, { database });
    },
    onBack: () => controllers.recovered(),
    onLost: ({ message }) => stop(1, message),
  });
  const source = new FilesSource(files, data, async () => keptSpecs(await installation.opened()));
  const controllers = createControllers({
    source,
    installations: installation,
    metrics,
    log,
    workers: config.workers,
  });
  metrics.objects.watch((kind) => source.list(kind));
  let stopBeating = (): void => undefined;
  const stop = stopOnce(log, patience, async () => {
    stopBeating();
    source.stop();
    await controllers.stop();
    await installation.close();
  });

  const view = {
    registry: metrics.registry,
    notReadyYet: () => (waitsFor.size === 0 ? undefined : `waits for ${[...waitsFor].join(" and ")}`),
    status: () => ({
      problems: source.problems,
      isSettled: source.isSettled && controllers.isSwept(),
      objects: source.describe(),
      leaving: controllers
        .leaving()
        .map(({ kind, key, isRetained: isKept }) => ({ kind, ...splitKey(key), isKept })),
    }),
  };
  if (!(await serve(config.http, view, log, stop))) return;

  const opened = await installation.opened().catch((error: Error) => error);
  if (opened instanceof UnservableDatabase && !(opened instanceof MigrationWaits))
    return stop(1, `the database cannot be served: ${opened.message}`);
  if (opened instanceof Error)
    log.warn({ err: opened }, "the database cannot serve yet; tried again until it can");

  await source.start({
    changed: (change) => controllers.changed(change),
    settled: () => controllers.sweep(),
    event({ kind, namespace, name }, { type, reason, message }) {
      log[type === "Normal" ? "info" : "warn"]({ kind, namespace, name, reason }, message);
    },
    problems(problems) {
      metrics.fileProblems.set(problems.length);
      if (problems.length === 0) log.info("every file is valid again");
      else log.error({ problems }, `what is not valid stays as it was:\n${report(problems)}`);
    },
  });
  waitsFor.delete("the files");
  controllers.start();
  stopBeating = repeat(
    systemClock,
    beatEvery,
    () => installation.beat(),
    (cause) => log.error({ err: cause }, "a round of the database's beat failed"),
  );
}
