/**
 * A bounded pool of connections to MySQL. Statements are prepared and have a timeout. Transactions with a conflict are repeated. If a host
 * does not answer, the next one is used.
 */
import {
  createConnection,
  createPool,
  type Pool,
  type PoolConnection,
  type ResultSetHeader,
  type RowDataPacket,
} from "mysql2";
import { StoreUnavailable } from "../../location/location-store.ts";
import type { Ms } from "../../wire/units.ts";
import { BackOff } from "./back-off.ts";
import { commit, execute, query, rollBack, takeConnection, withTimeout } from "./connection.ts";
import { AmbiguousCommit, isConflict, isConnectFailure, isConnectionLoss } from "./connection-errors.ts";

export interface DatabaseOptions {
  /** The first host that answers is used until it does not. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** The largest number of connections of this node. */
  readonly connections: number;
  readonly connectTimeout: Ms;
  readonly queryTimeout: Ms;
  readonly tls: { readonly ca?: string } | undefined;
}

export type Value = string | number | null;
export type Row = RowDataPacket;

/** Runs prepared statements; `name` is the statement's label in the metrics. */
export interface Session {
  read<T extends Row>(name: string, sql: string, values: readonly Value[]): Promise<T[]>;
  /** Rows affected: 1 for an insert, 2 for an update by ON DUPLICATE KEY, 0 for one that changes nothing. */
  write(name: string, sql: string, values: readonly Value[]): Promise<number>;
}

/** The rows of a SELECT, or what a statement changed. */
export type StatementResult = readonly Row[] | ResultSetHeader;

export const affectedRows = (result: StatementResult | undefined): number =>
  result === undefined || !("affectedRows" in result) ? 0 : result.affectedRows;

export const foundRows = (result: StatementResult | undefined): number =>
  Array.isArray(result) ? result.length : 0;

/** Begins a transaction and runs its statements. Returns whether to commit. */
type TransactionAct = (connection: PoolConnection, timeout: Ms) => Promise<boolean>;

const maxAttempts = 4;

export class Database implements Session {
  private pool: Pool;
  private hostIndex = 0;
  private readonly backOff = new BackOff();
  private options: DatabaseOptions;
  private readonly observe: (statement: string, duration: Ms) => void;

  /** `observe` is called with the name and the duration of each statement or transaction. */
  constructor(options: DatabaseOptions, observe: (statement: string, duration: Ms) => void) {
    this.options = options;
    this.observe = observe;
    this.pool = this.openPool();
  }

  async read<T extends Row>(name: string, sql: string, values: readonly Value[]): Promise<T[]> {
    return this.guard((pool) => this.measure(name, this.runStatement<T[]>(pool, sql, values)));
  }

  async write(name: string, sql: string, values: readonly Value[]): Promise<number> {
    const result = await this.guard((pool) =>
      this.measure(name, this.runStatement<ResultSetHeader>(pool, sql, values)),
    );
    return result.affectedRows;
  }

  /**
   * Runs `act` in a transaction; if `act` returns false, it is rolled back. Conflicts are repeated from the start. Throws
   * `StoreUnavailable`, `AmbiguousCommit`, or the statement's own error.
   */
  transaction(name: string, act: (session: Session) => Promise<boolean>): Promise<boolean> {
    return this.repeatConflicts(name, async (connection, timeout) => {
      await query(connection, "START TRANSACTION", timeout);
      return act({
        read: (_name, sql, values) => execute(connection, sql, values, timeout),
        write: async (_name, sql, values) =>
          (await execute<ResultSetHeader>(connection, sql, values, timeout)).affectedRows,
      });
    });
  }

  private async repeatConflicts(name: string, act: TransactionAct): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.guard((pool) => this.measure(name, this.runTransaction(pool, act)));
      } catch (error) {
        if (!isConflict(error) || attempt === maxAttempts) throw error;
      }
    }
  }

  /**
   * As `transaction`, with all statements in one text: one round trip, and one for COMMIT. `mayCommit` gets the result of each statement. Values
   * must be literals of `literal.ts`.
   */
  transactionText(
    name: string,
    statements: readonly string[],
    mayCommit: (results: readonly StatementResult[]) => boolean,
  ): Promise<boolean> {
    const text = ["START TRANSACTION", ...statements].join(";\n");
    return this.repeatConflicts(name, async (connection, timeout) => {
      const [, ...results] = (await query(connection, text, timeout)) as readonly StatementResult[];
      return mayCommit(results);
    });
  }

  /** For new connections. Open connections stay as they are. */
  setLogin(user: string, password: string): void {
    this.options = { ...this.options, user, password };
    Object.assign(connectionConfigOf(this.pool), { user, password });
    this.backOff.succeeded(); // the new login has not failed yet
  }

  /** Opens a connection of its own with the current login, and closes it. Rejects with the error of the server or the network. */
  async testLogin(): Promise<void> {
    const { database, connectTimeout, queryTimeout } = this.options;
    const connection = createConnection({ ...this.connectionOptions(), database, connectTimeout });
    connection.on("error", () => {}); // the query below reports it
    try {
      await withTimeout(queryTimeout, "no answer", (settle) => connection.query({ sql: "SELECT 1" }, settle));
    } finally {
      connection.destroy();
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.pool.end(() => resolve()));
  }

  /** A statement outside a transaction. */
  private async runStatement<T extends RowDataPacket[] | ResultSetHeader>(
    pool: Pool,
    sql: string,
    values: readonly Value[],
  ): Promise<T> {
    const connection = await this.connect(pool);
    try {
      const result = await execute<T>(connection, sql, values, this.options.queryTimeout);
      connection.release();
      return result;
    } catch (error) {
      // A connection whose answer is still missing cannot be used by others, and would block its place in the pool
      if (isConnectionLoss(error)) connection.destroy();
      else connection.release();
      throw error;
    }
  }

  private async runTransaction(pool: Pool, act: TransactionAct): Promise<boolean> {
    const connection = await this.connect(pool);
    const timeout = this.options.queryTimeout;
    try {
      const mayCommit = await act(connection, timeout);
      if (mayCommit) await commit(connection, timeout);
      else await query(connection, "ROLLBACK", timeout);
      connection.release();
      return mayCommit;
    } catch (error) {
      await rollBack(connection, error, timeout);
      throw error;
    }
  }

  private async connect(pool: Pool): Promise<PoolConnection> {
    try {
      const connection = await takeConnection(pool, this.options.connectTimeout);
      this.backOff.succeeded();
      return connection;
    } catch (error) {
      if (isConnectFailure(error)) this.backOff.failed(performance.now());
      throw error;
    }
  }

  private async measure<T>(name: string, running: Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await running;
    } finally {
      this.observe(name, performance.now() - start);
    }
  }

  /** Turns the loss of a connection into `StoreUnavailable`. */
  private async guard<T>(act: (pool: Pool) => Promise<T>): Promise<T> {
    const { pool } = this;
    if (!this.backOff.mayTry(performance.now())) throw this.unavailable("the last connections failed");
    try {
      return await act(pool);
    } catch (error) {
      if (error instanceof AmbiguousCommit || !isConnectionLoss(error)) throw error;
      this.switchHost(pool);
      throw this.unavailable(error);
    }
  }

  private unavailable(cause: unknown): StoreUnavailable {
    const hosts = this.options.hosts.map(({ host, port }) => `${host}:${port}`).join(", ");
    return new StoreUnavailable(`MySQL at ${hosts}`, cause);
  }

  /** To the next host, once for all statements that failed with the pool `failed`. */
  private switchHost(failed: Pool): void {
    if (this.options.hosts.length < 2 || failed !== this.pool) return;
    this.hostIndex = (this.hostIndex + 1) % this.options.hosts.length;
    this.backOff.succeeded(); // the next host has not failed yet
    this.pool = this.openPool();
    failed.end(() => {});
  }

  private openPool(): Pool {
    const { database, connections, connectTimeout } = this.options;
    const pool = createPool({
      ...this.connectionOptions(),
      database,
      connectTimeout,
      connectionLimit: connections,
      maxIdle: connections,
      idleTimeout: 300_000,
      queueLimit: 10_000,
      enableKeepAlive: true,
      charset: "utf8mb4",
      flags: ["-FOUND_ROWS"],
      multipleStatements: true, // only texts of `transactionText` have several; prepared statements never do
      maxPreparedStatements: 1_000,
      supportBigNumbers: true,
    }); // prettier-ignore
    pool.on("connection", (connection) => {
      connection.query(setStrictMode, () => {});
      connection.query(setFreshStatistics, () => {});
    });
    return pool;
  }

  /** For the host in use. */
  private connectionOptions() {
    const { hosts, user, password, tls } = this.options;
    const { host, port } = hosts[this.hostIndex] ?? { host: "127.0.0.1", port: 3306 };
    return {
      ...{ host, port, user, password },
      ...(tls === undefined ? {} : { ssl: { ...tls, verifyIdentity: true } }),
    };
  }
}

/** Without strict mode a server truncates a value that does not fit, or replaces characters with "?", and reports no error. */
const setStrictMode =
  "SET SESSION sql_mode = IF(@@sql_mode = '', 'STRICT_ALL_TABLES', CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'))";

/** MySQL 8 remembers the times of tables for a day. MariaDB does not know the variable, and its error is ignored. */
const setFreshStatistics = "SET SESSION information_schema_stats_expiry = 0";

/** The options that mysql2 copies for each new connection. Its types do not contain them. */
const connectionConfigOf = (pool: Pool): object =>
  (pool as unknown as { readonly config: { readonly connectionConfig: object } }).config.connectionConfig;
