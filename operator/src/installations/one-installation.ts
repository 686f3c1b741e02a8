/** The one database of an exchange that is a folder of files: it is whoever's SipCluster takes it first. */
import type { Database } from "../adapters/mysql/database.ts";
import { LeadershipLost, type Installation } from "../adapters/mysql/installation.ts";
import { beat } from "../adapters/mysql/leader-beat.ts";
import { hasEveryTable, type MigrationReport } from "../adapters/mysql/migrate.ts";
import { readMigrations } from "../adapters/mysql/migration-files.ts";
import { openInstallation } from "../adapters/mysql/open-installation.ts";
import type { Installations } from "../installations.ts";
import type { ObjectKey } from "../runtime/object.ts";

export interface OneInstallationOptions {
  /** This process, for people who look into `strowger_meta`. */
  readonly name: string;
  onOpen(report: MigrationReport): void;
  /** The database could not be reached and can be again. */
  onBack(): void;
  onLost(lost: LeadershipLost): void;
}

export class OneInstallation implements Installations {
  readonly #database: Database;
  readonly #options: OneInstallationOptions;
  #openOnce: () => Promise<Installation>;
  #installation: Installation | undefined;
  #hasFailed = false;
  #beating: Promise<void> | undefined;

  constructor(database: Database, options: OneInstallationOptions) {
    this.#database = database;
    this.#options = options;
    this.#openOnce = this.#opener();
  }

  #opener(): () => Promise<Installation> {
    return openInstallation(this.#database, this.#options.name, (report) => this.#options.onOpen(report));
  }

  /** Whichever SipCluster asks: whose it is, the database itself says. */
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

  /** It is not known by the name of any SipCluster. */
  unreachable(): readonly ObjectKey[] {
    return [];
  }

  /** One round; called every few seconds, also while the last one still waits for the database. Never throws. */
  beat(): Promise<void> {
    this.#beating ??= this.#beat().finally(() => (this.#beating = undefined));
    return this.#beating;
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  async #beat(): Promise<void> {
    const wasAway = this.#hasFailed || this.#database.outage !== undefined;
    try {
      if (await this.#isEmptied()) return await this.#openAnew();
      const { epoch } = await this.opened();
      if (epoch !== undefined && !(await beat(this.#database, epoch)))
        return this.#options.onLost(new LeadershipLost());
      this.#hasFailed = false;
      if (wasAway) this.#options.onBack();
    } catch {
      // Whoever needs the database says so in a condition.
    }
  }

  /** Somebody dropped tables that this process made or found; asked before the beat, which needs one of them. */
  async #isEmptied(): Promise<boolean> {
    return this.#installation !== undefined && !(await hasEveryTable(this.#database, await readMigrations()));
  }

  /** As at the start: the tables are made, and everything is looked at again. */
  async #openAnew(): Promise<void> {
    this.#installation = undefined;
    this.#hasFailed = true;
    this.#openOnce = this.#opener();
    await this.opened();
    this.#hasFailed = false;
    this.#options.onBack();
  }
}
