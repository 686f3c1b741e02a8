/** The operator of a folder of YAML files and one database. */
import { hostname } from "node:os";
import type { Logger } from "pino";
import type { OperatorView } from "./adapters/http/operator-routes.ts";
import { Database } from "./adapters/mysql/database.ts";
import { readOwnedSpecs } from "./adapters/mysql/owners.ts";
import { MigrationWaits } from "./adapters/mysql/schema-now.ts";
import { UnservableDatabase } from "./adapters/mysql/server.ts";
import type { Config, FilesConfig } from "./config.ts";
import { createControllers, type Controllers } from "./controllers.ts";
import { OneInstallation } from "./installations/one-installation.ts";
import { createLog, logOpening, repeatHeartbeats, serve, stopOnce, type Stop } from "./process-edge.ts";
import { splitKey } from "./runtime/object.ts";
import { FilesSource, type FilesListener } from "./sources/files/files-source.ts";
import { report } from "./sources/files/problem.ts";
import { createMetrics, type Metrics } from "./telemetry/metrics.ts";

/** For running reconciles. */
const shutdownTimeout = 3_000;

export const runFiles = (config: Config, files: FilesConfig): Promise<void> =>
  new FilesOperator(config, files).run();

class FilesOperator {
  readonly #config: Config;
  readonly #database: FilesConfig["database"];
  readonly #log: Logger;
  readonly #metrics: Metrics;
  readonly #installation: OneInstallation;
  readonly #source: FilesSource;
  readonly #controllers: Controllers;
  readonly #stop: Stop;
  /** Empty: ready. */
  readonly #waitsFor = new Set(["the database", "the files"]);
  #stopHeartbeats = (): void => undefined;

  constructor(config: Config, { files, data, database }: FilesConfig) {
    this.#config = config;
    this.#database = database;
    this.#log = createLog(config.logLevel);
    this.#metrics = createMetrics();
    this.#installation = this.#createInstallation();
    this.#source = new FilesSource(files, data, async () =>
      readOwnedSpecs(await this.#installation.opened()),
    );
    this.#controllers = this.#createControllers();
    this.#stop = stopOnce(this.#log, shutdownTimeout, () => this.#end());
  }

  async run(): Promise<void> {
    this.#metrics.objects.watch((kind) => this.#source.list(kind));
    if (!(await serve(this.#config.http, this.#view(), this.#log, this.#stop))) return;
    if (!(await this.#canBeServed())) return;
    await this.#source.start(this.#listener());
    this.#waitsFor.delete("the files");
    this.#controllers.start();
    this.#stopHeartbeats = repeatHeartbeats(this.#installation, this.#log);
  }

  #createInstallation(): OneInstallation {
    const database = this.#database;
    return new OneInstallation(new Database(database), {
      name: `${hostname()}:${process.pid}`,
      onOpen: (opened) => {
        this.#waitsFor.delete("the database");
        logOpening(this.#log, opened, { database });
      },
      onBack: () => this.#controllers.recovered(),
      onLost: ({ message }) => this.#stop(1, message),
    });
  }

  #createControllers(): Controllers {
    return createControllers({
      source: this.#source,
      installations: this.#installation,
      metrics: this.#metrics,
      log: this.#log,
      workers: this.#config.workers,
    });
  }

  /** Opens the database. Stops the process if the database can never be served; an unreachable one is tried again with the heartbeats. */
  async #canBeServed(): Promise<boolean> {
    const opened = await this.#installation.opened().catch((error: Error) => error);
    if (opened instanceof UnservableDatabase && !(opened instanceof MigrationWaits)) {
      this.#stop(1, `the database cannot be served: ${opened.message}`);
      return false;
    }
    if (opened instanceof Error)
      this.#log.warn({ err: opened }, "the database cannot be used yet; tried again until it can");
    return true;
  }

  #listener(): FilesListener {
    return {
      changed: (change) => this.#controllers.changed(change),
      settled: () => this.#controllers.sweep(),
      event: ({ kind, namespace, name }, { type, reason, message }) =>
        this.#log[type === "Normal" ? "info" : "warn"]({ kind, namespace, name, reason }, message),
      problems: (problems) => {
        this.#metrics.fileProblems.set(problems.length);
        if (problems.length === 0) this.#log.info("every file is valid again");
        else
          this.#log.error(
            { problems },
            `an invalid object keeps its last valid version:\n${report(problems)}`,
          );
      },
    };
  }

  #view(): OperatorView {
    const waitsFor = this.#waitsFor;
    return {
      registry: this.#metrics.registry,
      readinessProblem: () => (waitsFor.size === 0 ? undefined : `waits for ${[...waitsFor].join(" and ")}`),
      status: () => ({
        problems: this.#source.problems,
        isSettled: this.#source.isSettled && this.#controllers.isSwept(),
        objects: this.#source.describe(),
        leaving: this.#controllers
          .leaving()
          .map(({ kind, key, isRetained }) => ({ kind, ...splitKey(key), isKept: isRetained })),
      }),
    };
  }

  async #end(): Promise<void> {
    this.#stopHeartbeats();
    this.#source.stop();
    await this.#controllers.stop();
    await this.#installation.close();
  }
}
