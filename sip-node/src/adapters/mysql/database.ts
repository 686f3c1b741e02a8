/**
 * One bounded pool of connections to the cluster's MySQL: prepared statements, a timeout on everything, conflicts tried again, and a
 * look at the next host when one does not answer.
 */
import { createPool, type Pool, type PoolConnection, type ResultSetHeader, type RowDataPacket } from "mysql2";
import { StoreUnavailable } from "../../location/location-store.ts";
import type { Ms } from "../../wire/units.ts";

export interface DatabaseSettings {
  /** `host:port` each; the first that answers serves until it does not. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Connections of this node at most. */
  readonly connections: number;
  readonly connectTimeout: Ms;
  readonly queryTimeout: Ms;
  readonly tls: { readonly ca?: string } | undefined;
}

export type Value = string | number | null;
export type Row = RowDataPacket;

/** Runs prepared statements; `name` is what the metrics call one. */
export interface Session {
  read<T extends Row>(name: string, sql: string, values: readonly Value[]): Promise<T[]>;
  /** Rows affected: 1 for an insert, 2 for an update of ON DUPLICATE KEY, 0 for one that changes nothing. */
  write(name: string, sql: string, values: readonly Value[]): Promise<number>;
}

/** The outcome of COMMIT is not known: the connection was lost while it ran. */
export class AmbiguousCommit extends Error {}

const conflictCodes = new Set([1213, 1205, 1020]); // deadlock (also Galera's, at COMMIT), lock wait timeout, record changed
const maxAttempts = 4;

export class Database implements Session {
  private pool: Pool;
  private at = 0;
  private readonly settings: DatabaseSettings;
  private readonly observe: (statement: string, duration: Ms) => void;

  /** `observe` hears how long each statement took, named by its first word. */
  constructor(settings: DatabaseSettings, observe: (statement: string, duration: Ms) => void) {
    this.settings = settings;
    this.observe = observe;
    this.pool = this.open();
  }

  async read<T extends Row>(name: string, sql: string, values: readonly Value[]): Promise<T[]> {
    return this.guard(() =>
      this.timed(name, execute<T[]>(this.pool, sql, values, this.settings.queryTimeout)),
    );
  }

  async write(name: string, sql: string, values: readonly Value[]): Promise<number> {
    const { queryTimeout } = this.settings;
    const result = await this.guard(() =>
      this.timed(name, execute<ResultSetHeader>(this.pool, sql, values, queryTimeout)),
    );
    return result.affectedRows;
  }

  /**
   * Runs `act` in a transaction; `act` returning false rolls back. Conflicts are tried again from the start. Throws
   * `StoreUnavailable`, `AmbiguousCommit`, or the statement's own error.
   */
  async transaction(name: string, act: (session: Session) => Promise<boolean>): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.guard(() => this.timed(name, this.once(act)));
      } catch (error) {
        if (!isConflict(error) || attempt === maxAttempts) throw error;
      }
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.pool.end(() => resolve()));
  }

  private async once(act: (session: Session) => Promise<boolean>): Promise<boolean> {
    const connection = await connectionOf(this.pool);
    const timeout = this.settings.queryTimeout;
    try {
      await query(connection, "START TRANSACTION", timeout);
      const isWanted = await act({
        read: (_name, sql, values) => execute(connection, sql, values, timeout),
        write: async (_name, sql, values) =>
          (await execute<ResultSetHeader>(connection, sql, values, timeout)).affectedRows,
      });
      if (isWanted) await commit(connection, timeout);
      else await query(connection, "ROLLBACK", timeout);
      connection.release();
      return isWanted;
    } catch (error) {
      await abandon(connection, error, timeout);
      throw error;
    }
  }

  private async timed<T>(name: string, running: Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await running;
    } finally {
      this.observe(name, performance.now() - start);
    }
  }

  private async guard<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (error instanceof AmbiguousCommit || !isConnectionLoss(error)) throw error;
      this.turnToNextHost();
      throw new StoreUnavailable(
        `MySQL at ${this.settings.hosts.map(({ host, port }) => `${host}:${port}`).join(", ")}`,
        error,
      );
    }
  }

  private turnToNextHost(): void {
    if (this.settings.hosts.length < 2) return;
    const old = this.pool;
    this.at = (this.at + 1) % this.settings.hosts.length;
    this.pool = this.open();
    old.end(() => {});
  }

  private open(): Pool {
    const { hosts, user, password, database, connections, connectTimeout, tls } = this.settings;
    const { host, port } = hosts[this.at] ?? { host: "127.0.0.1", port: 3306 };
    return createPool({
      host,
      port,
      user,
      password,
      database,
      connectTimeout,
      connectionLimit: connections,
      maxIdle: connections,
      idleTimeout: 300_000,
      queueLimit: 10_000,
      enableKeepAlive: true,
      charset: "utf8mb4",
      flags: ["-FOUND_ROWS"],
      maxPreparedStatements: 1_000,
      supportBigNumbers: true,
      ...(tls === undefined ? {} : { ssl: { ...tls } }),
    }); // prettier-ignore
  }
}

// mysql2's own promises capture a stack trace for each statement, which costs more than sending it.

function execute<T extends RowDataPacket[] | ResultSetHeader>(
  on: Pool | PoolConnection,
  sql: string,
  values: readonly Value[],
  timeout: Ms,
): Promise<T> {
  return new Promise((resolve, reject) => {
    on.execute<T>({ sql, timeout }, [...values], (error, result) =>
      error === null ? resolve(result) : reject(error),
    );
  });
}

function query(on: PoolConnection, sql: string, timeout: Ms): Promise<void> {
  return new Promise((resolve, reject) => {
    on.query({ sql, timeout }, (error) => (error === null ? resolve() : reject(error)));
  });
}

function connectionOf(pool: Pool): Promise<PoolConnection> {
  return new Promise((resolve, reject) => {
    pool.getConnection((error, connection) => (error === null ? resolve(connection) : reject(error)));
  });
}

async function commit(connection: PoolConnection, timeout: Ms): Promise<void> {
  try {
    await query(connection, "COMMIT", timeout);
  } catch (error) {
    if (isConnectionLoss(error)) throw new AmbiguousCommit("COMMIT", { cause: error });
    throw error;
  }
}

/** A connection in an unknown state is closed; any other is rolled back and goes on. */
async function abandon(connection: PoolConnection, error: unknown, timeout: Ms): Promise<void> {
  if (error instanceof AmbiguousCommit || isConnectionLoss(error)) return connection.destroy();
  try {
    await query(connection, "ROLLBACK", timeout);
    connection.release();
  } catch {
    connection.destroy();
  }
}

const numberOf = (error: unknown): number | undefined => (error as { errno?: number }).errno;
const isConflict = (error: unknown): boolean => conflictCodes.has(numberOf(error) ?? 0);

/** Errors of a statement carry a SQLSTATE of the server; those of a connection, a time-out or the pool do not, or say 08. */
function isConnectionLoss(error: unknown): boolean {
  const { sqlState, errno, fatal } = error as { sqlState?: string; errno?: number; fatal?: boolean };
  if (sqlState === undefined || sqlState.startsWith("08") || fatal === true) return true;
  return unavailable.has(errno ?? 0);
}

// too many connections; access denied; unknown database; server shutdown; no such table (before the migration); read-only server
const unavailable = new Set([1040, 1044, 1045, 1049, 1053, 1146, 1290, 1836, 1927]);
