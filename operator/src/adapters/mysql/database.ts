/**
 * The database: a bounded pool of connections, prepared statements, a time limit on everything, and transactions that are tried again
 * when they lost a conflict. After a failed connect nothing is tried for a while (longer each time), so that an outage costs little.
 */
import { createPool, type Pool, type PoolConnection, type ResultSetHeader } from "mysql2/promise";
import type { DatabaseAddress } from "./database-url.ts";

export type Value = string | number | null;

/** What runs statements: the database (each commits by itself) or a transaction. */
export interface Statements {
  rows<Row>(sql: string, values?: readonly Value[]): Promise<readonly Row[]>;
  /** Returns how many rows the statement matched. */
  run(sql: string, values?: readonly Value[]): Promise<number>;
}

/** The database cannot be reached or does not serve; trying later may help. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown) {
    super(`database unavailable: ${messageOf(cause)}`, { cause });
    this.name = "DatabaseUnavailable";
  }
}

/** Another writer was faster to insert a row of that key: read again, then decide again. */
export class DuplicateKey extends Error {
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
    this.name = "DuplicateKey";
  }
}

export interface DatabaseOptions {
  /** Connects without choosing the database, to create it. */
  readonly withoutSchema?: boolean;
  /** How long a statement, or a whole transaction, may take; in milliseconds. */
  readonly statementLimit?: number;
  /** A clock in milliseconds. */
  readonly now?: () => number;
}

const limits = {
  connections: 8,
  connectMs: 3_000,
  statementMs: 10_000,
  pauseMs: 100,
  longestPauseMs: 3_000,
  attempts: 8,
};

/** Deadlock, lock wait timeout, and MariaDB's "record has changed": the transaction is to be run again (Galera: at COMMIT too). */
const conflicts = new Set([1213, 1205, 1020]);

/** Too many connections, access denied to it, shutting down, read-only for now, connection killed, Galera member not ready. */
const unavailable = new Set([1040, 1044, 1045, 1049, 1053, 1290, 1836, 1927, 1047, 3169]);

export class Database implements Statements {
  readonly #pool: Pool;
  readonly #now: () => number;
  readonly #statementLimit: number;
  #failedConnects = 0;
  #pauseUntil = 0;

  constructor(address: DatabaseAddress, options: DatabaseOptions = {}) {
    this.#statementLimit = options.statementLimit ?? limits.statementMs;
    this.#now = options.now ?? Date.now;
    this.#pool = createPool({
      host: address.host,
      port: address.port,
      user: address.user,
      password: address.password,
      ...(options.withoutSchema === true ? {} : { database: address.database }),
      ...(address.tls === "off" ? {} : { ssl: tlsOptions(address.tls) }),
      charset: "utf8mb4",
      timezone: "Z",
      connectionLimit: limits.connections,
      maxIdle: limits.connections,
      connectTimeout: limits.connectMs,
      enableKeepAlive: true,
      maxPreparedStatements: 200,
    });
    this.#pool.pool.on("connection", (connection) => {
      connection.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", () => undefined);
      connection.query("SET SESSION innodb_lock_wait_timeout = 5", () => undefined);
    });
  }

  rows<Row>(sql: string, values: readonly Value[] = []): Promise<readonly Row[]> {
    return this.#withConnection((connection) => statements(connection).rows<Row>(sql, values));
  }

  run(sql: string, values: readonly Value[] = []): Promise<number> {
    return this.#withConnection((connection) => statements(connection).run(sql, values));
  }

  /** One statement as text, for DDL that cannot be prepared. */
  async define(sql: string): Promise<void> {
    await this.#withConnection((connection) => connection.query(sql));
  }

  /** Runs `work` in one transaction and again, from its start, whenever a conflict undid it. */
  async transaction<Result>(work: (statements: Statements) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#withConnection((connection) => transact(connection, work));
      } catch (error) {
        if (!conflicts.has(errnoOf(error)) || attempt === limits.attempts) throw error;
        await new Promise((resolve) => setTimeout(resolve, 5 * attempt * (1 + Math.random())));
      }
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #withConnection<Result>(work: (connection: PoolConnection) => Promise<Result>): Promise<Result> {
    const connection = await this.#connect();
    let isBroken = true;
    try {
      const result = await within(this.#statementLimit, work(connection), () => connection.destroy());
      isBroken = false;
      return result;
    } catch (error) {
      isBroken = isUnavailable(error);
      throw translate(error);
    } finally {
      if (isBroken) connection.destroy();
      else connection.release();
    }
  }

  async #connect(): Promise<PoolConnection> {
    if (this.#now() < this.#pauseUntil)
      throw new DatabaseUnavailable(new Error("the last attempt to connect failed just now"));
    try {
      const connection = await this.#pool.getConnection();
      this.#failedConnects = 0;
      return connection;
    } catch (error) {
      const pause = Math.min(limits.longestPauseMs, limits.pauseMs * 2 ** this.#failedConnects);
      this.#failedConnects = Math.min(this.#failedConnects + 1, 10);
      this.#pauseUntil = this.#now() + pause;
      throw new DatabaseUnavailable(error);
    }
  }
}

const statements = (connection: PoolConnection): Statements => ({
  async rows<Row>(sql: string, values: readonly Value[] = []) {
    const [rows] = await connection.execute(sql, [...values]);
    return rows as Row[];
  },
  async run(sql: string, values: readonly Value[] = []) {
    const [result] = await connection.execute<ResultSetHeader>(sql, [...values]);
    return result.affectedRows;
  },
});

async function transact<Result>(
  connection: PoolConnection,
  work: (statements: Statements) => Promise<Result>,
): Promise<Result> {
  await connection.beginTransaction();
  try {
    const result = await work(statements(connection));
    await connection.commit();
    return result;
  } catch (error) {
    if (!isUnavailable(error)) await connection.rollback();
    throw error;
  }
}

/** `promise`, or a failure after `limit` ms; `giveUp` must make the promise end. */
async function within<Result>(limit: number, promise: Promise<Result>, giveUp: () => void): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new DatabaseUnavailable(new Error(`no answer within ${limit} ms`)));
      giveUp();
    }, limit);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

const tlsOptions = (tls: "encrypt" | "verify") => ({
  rejectUnauthorized: tls === "verify",
  verifyIdentity: tls === "verify",
});

function translate(error: unknown): unknown {
  if (error instanceof DatabaseUnavailable || !isUnavailable(error)) {
    return errnoOf(error) === 1062 ? new DuplicateKey(error) : error;
  }
  return new DatabaseUnavailable(error);
}

/** A driver's error without a number came from the socket, not from the server's view of a statement. */
function isUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true;
  const { fatal, code } = error as { readonly fatal?: boolean; readonly code?: unknown };
  if (fatal === true || unavailable.has(errnoOf(error))) return true;
  return typeof code === "string" && /^(E[A-Z]+|PROTOCOL_[A-Z_]+)$/.test(code) && !code.startsWith("ER_");
}

const errnoOf = (error: unknown): number => (error as { readonly errno?: number }).errno ?? 0;

const messageOf = (error: unknown): string => {
  const { message, code } = error as { readonly message?: string; readonly code?: string };
  return message || code || String(error);
};
