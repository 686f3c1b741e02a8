/**
 * One bounded pool of connections to the cluster's MySQL: prepared statements, a timeout on everything, conflicts tried again, and a
 * look at the next host when one does not answer.
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
  private readonly backOff = new BackOff();
  private settings: DatabaseSettings;
  private readonly observe: (statement: string, duration: Ms) => void;

  /** `observe` hears how long each statement or transaction took, by its name. */
  constructor(settings: DatabaseSettings, observe: (statement: string, duration: Ms) => void) {
    this.settings = settings;
    this.observe = observe;
    this.pool = this.open();
  }

  async read<T extends Row>(name: string, sql: string, values: readonly Value[]): Promise<T[]> {
    return this.guard((pool) => this.timed(name, this.alone<T[]>(pool, sql, values)));
  }

  async write(name: string, sql: string, values: readonly Value[]): Promise<number> {
    const result = await this.guard((pool) =>
      this.timed(name, this.alone<ResultSetHeader>(pool, sql, values)),
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
        return await this.guard((pool) => this.timed(name, this.once(pool, act)));
      } catch (error) {
        if (!isConflict(error) || attempt === maxAttempts) throw error;
      }
    }
  }

  /** For connections from now on; those that are open stay as they are. */
  signInAs(user: string, password: string): void {
    this.settings = { ...this.settings, user, password };
    Object.assign(connectionConfigOf(this.pool), { user, password });
    this.backOff.succeeded(); // the next sign-in has not failed yet
  }

  /** Signs in on a connection of its own and leaves. Rejects with what the server or the network says. */
  async tryLogin(): Promise<void> {
    const { database, connectTimeout, queryTimeout } = this.settings;
    const connection = createConnection({ ...this.login(), database, connectTimeout });
    connection.on("error", () => {}); // the query below tells it
    try {
      await within(queryTimeout, "no answer", (settle) => connection.query({ sql: "SELECT 1" }, settle));
    } finally {
      connection.destroy();
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.pool.end(() => resolve()));
  }

  /** One statement that commits by itself. */
  private async alone<T extends RowDataPacket[] | ResultSetHeader>(
    pool: Pool,
    sql: string,
    values: readonly Value[],
  ): Promise<T> {
    const connection = await this.connect(pool);
    try {
      const result = await execute<T>(connection, sql, values, this.settings.queryTimeout);
      connection.release();
      return result;
    } catch (error) {
      // A connection that still owes an answer is of no use to others, and would keep its place in the pool until then
      if (isConnectionLoss(error)) connection.destroy();
      else connection.release();
      throw error;
    }
  }

  private async once(pool: Pool, act: (session: Session) => Promise<boolean>): Promise<boolean> {
    const connection = await this.connect(pool);
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

  private async connect(pool: Pool): Promise<PoolConnection> {
    try {
      const connection = await connectionOf(pool, this.settings.connectTimeout);
      this.backOff.succeeded();
      return connection;
    } catch (error) {
      if (isRefusal(error)) this.backOff.failed(performance.now());
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

  private async guard<T>(act: (pool: Pool) => Promise<T>): Promise<T> {
    const { pool } = this;
    if (!this.backOff.mayTry(performance.now())) throw this.unavailable("no connection a moment ago");
    try {
      return await act(pool);
    } catch (error) {
      if (error instanceof AmbiguousCommit || !isConnectionLoss(error)) throw error;
      this.turnFrom(pool);
      throw this.unavailable(error);
    }
  }

  private unavailable(cause: unknown): StoreUnavailable {
    const hosts = this.settings.hosts.map(({ host, port }) => `${host}:${port}`).join(", ");
    return new StoreUnavailable(`MySQL at ${hosts}`, cause);
  }

  /** To the next host, once for all statements that failed on this one. */
  private turnFrom(old: Pool): void {
    if (this.settings.hosts.length < 2 || old !== this.pool) return;
    this.at = (this.at + 1) % this.settings.hosts.length;
    this.backOff.succeeded(); // the next host has not failed yet
    this.pool = this.open();
    old.end(() => {});
  }

  private open(): Pool {
    const { database, connections, connectTimeout } = this.settings;
    const pool = createPool({
      ...this.login(),
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
    }); // prettier-ignore
    pool.on("connection", (connection) => connection.query(strict, () => {}));
    return pool;
  }

  /** To the host that serves now. */
  private login() {
    const { hosts, user, password, tls } = this.settings;
    const { host, port } = hosts[this.at] ?? { host: "127.0.0.1", port: 3306 };
    return {
      ...{ host, port, user, password },
      ...(tls === undefined ? {} : { ssl: { ...tls, verifyIdentity: true } }),
    };
  }
}

/** Else a server with an old configuration stores what it cannot hold cut off or with "?", and says that all is well. */
const strict =
  "SET SESSION sql_mode = IF(@@sql_mode = '', 'STRICT_ALL_TABLES', CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'))";

/** What mysql2 copies for each new connection; its types leave it out. */
const connectionConfigOf = (pool: Pool): object =>
  (pool as unknown as { readonly config: { readonly connectionConfig: object } }).config.connectionConfig;

// mysql2's own promises capture a stack trace for each statement, which costs more than sending it; its own time-outs neither cover the
// wait for a connection nor PREPARE.

function execute<T extends RowDataPacket[] | ResultSetHeader>(
  on: PoolConnection,
  sql: string,
  values: readonly Value[],
  timeout: Ms,
): Promise<T> {
  return within(timeout, "no answer", (settle) => on.execute<T>({ sql }, [...values], settle));
}

function query(on: PoolConnection, sql: string, timeout: Ms): Promise<unknown> {
  return within(timeout, "no answer", (settle) => on.query({ sql }, settle));
}

function connectionOf(pool: Pool, timeout: Ms): Promise<PoolConnection> {
  return within<PoolConnection>(
    timeout,
    "no free connection",
    (settle) => pool.getConnection(settle),
    (connection) => connection.release(),
  );
}

/** What `ask` is told, or an error after `timeout`; what comes too late is for `late`. */
function within<T>(
  timeout: Ms,
  failure: string,
  ask: (settle: (error: Error | null, result: T) => void) => void,
  late: (result: T) => void = () => {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reject(new Error(`${failure} within ${timeout} ms`));
    }, timeout);
    ask((error, result) => {
      clearTimeout(timer);
      if (error !== null) reject(error);
      else if (isLate) late(result);
      else resolve(result);
    });
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
/** Nobody listens there or the network does not go there; a busy pool is not meant. */
const isRefusal = (error: unknown): boolean =>
  ["ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "ENOTFOUND"].includes(
    (error as { code?: string }).code ?? "",
  );
const isConflict = (error: unknown): boolean => conflictCodes.has(numberOf(error) ?? 0);

/** Errors of a statement carry a SQLSTATE of the server; those of a connection, a time-out or the pool do not, or say 08. */
function isConnectionLoss(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return false; // ours: it must not pass for an outage
  const { sqlState, errno, fatal } = error as { sqlState?: string; errno?: number; fatal?: boolean };
  if (sqlState === undefined || sqlState.startsWith("08") || fatal === true) return true;
  return unavailable.has(errno ?? 0);
}

// too many connections; access denied; unknown database; server shutdown; no such table (before the migration); read-only server
const unavailable = new Set([1040, 1044, 1045, 1049, 1053, 1146, 1290, 1836, 1927]);
