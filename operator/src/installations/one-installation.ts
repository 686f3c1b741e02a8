/** The database of an exchange from a folder of files. It belongs to the first SipCluster that takes it. */
import type { Database } from "../adapters/mysql/database.ts";
import { isTableMissing } from "../adapters/mysql/failure.ts";
import { isAnotherDatabase, LeadershipLost, type Installation } from "../adapters/mysql/installation.ts";
import { writeLeaderHeartbeat } from "../adapters/mysql/leader-heartbeat.ts";
import { areTablesLost } from "../adapters/mysql/lost-tables.ts";
import type { MigrationReport } from "../adapters/mysql/migrate.ts";
import { openInstallation } from "../adapters/mysql/open-installation.ts";
import type { Installations, LoginProblems } from "../installations.ts";
import type { ObjectKey } from "../runtime/object.ts";

export interface OneInstallationDependencies {
  /** This process, for people who look into `strowger_meta`. */
  readonly name: string;
  readonly onOpen: (report: MigrationReport) => void;
  /** The database could not be reached and can be again. */
  onBack(): void;
  onLost(lost: LeadershipLost): void;
}

export class OneInstallation implements Installations {
  readonly #database: Database;
  readonly #deps: OneInstallationDependencies;
  #openOnce: () => Promise<Installation>;
  #installation: Installation | undefined;
  #hasFailed = false;
  #sending: Promise<void> | undefined;

  constructor(database: Database, deps: OneInstallationDependencies) {
    this.#database = database;
    this.#deps = deps;
    this.#openOnce = this.#opener();
  }

  #opener(): () => Promise<Installation> {
    const { name, onOpen } = this.#deps;
    return openInstallation(this.#database, name, onOpen);
  }

  /** The same for every SipCluster: the database itself records which one owns it. */
  of(_cluster: ObjectKey): Promise<Installation> {
    return this.opened();
  }

  async opened(): Promise<Installation> {
    try {
      return (this.#installation ??= await this.#openOnce());
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    }
  }

  open(): readonly Installation[] {
    return this.#installation === undefined ? [] : [this.#installation];
  }

  /** The login is in the configuration of the process, not in a Secret. */
  loginProblems(_cluster: ObjectKey): LoginProblems {
    return {};
  }

  /** No SipCluster names it. */
  unreachable(): readonly ObjectKey[] {
    return [];
  }

  /** One round; called every few seconds, also while the last one still waits for the database. Never throws. */
  sendHeartbeats(): Promise<void> {
    this.#sending ??= this.#sendOnce().finally(() => (this.#sending = undefined));
    return this.#sending;
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  async #sendOnce(): Promise<void> {
    const wasAway = this.#hasFailed || this.#database.outage !== undefined;
    try {
      const installation = await this.opened();
      const { id, epoch } = installation;
      if (epoch !== undefined && !(await writeLeaderHeartbeat(this.#database, { id, epoch }))) {
        if (await isAnotherDatabase(this.#database, { id, epoch })) return await this.#reopen();
        return this.#deps.onLost(new LeadershipLost());
      }
      if (await areTablesLost(this.#database)) return await this.#reopen();
      this.#hasFailed = false;
      if (wasAway) this.#deps.onBack();
    } catch (error) {
      // Objects that need the database report the failure in a condition.
      if (isTableMissing(error)) await this.#reopen().catch(() => undefined);
    }
  }

  /** The database was emptied, lost a table, or was replaced. */
  async #reopen(): Promise<void> {
    this.#installation = undefined;
    this.#openOnce = this.#opener();
    await this.opened();
    this.#hasFailed = false;
    this.#deps.onBack();
  }
}
