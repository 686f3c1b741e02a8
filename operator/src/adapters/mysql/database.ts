/** The database: prepared statements, a time limit for each, and transactions that are repeated after a conflict. */
import type { PoolConnection, ResultSetHeader } from "mysql2/promise";
import { Connections, type ConnectionOptions } from "./connections.ts";
import { DatabaseUnavailable, messageOf } from "./database-unavailable.ts";
import type { DatabaseAddress } from "./database-url.ts";

export type Value = string | number | null;

/** Runs statements: either the database, where each commits by itself, or a transaction. */
export interface Statements {
  rows<Row>(sql: string, values?: readonly Value[]): Promise<readonly Row[]>;
  /** Returns the number of matched rows. */
  run(sql: string, values?: readonly Value[]): Promise<number>;
}

/** Another writer has inserted a row with that key: read again, and decide again. */
export class DuplicateKey extends Error {
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
    this.name = "DuplicateKey";
  }
}

export interface DatabaseOptions extends ConnectionOptions {
  /** How long a statement, or a whole transaction, may take; in milliseconds. */
  readonly statementLimit?: number;
}

const limits = { statementMs: 10_000, attempts: 8 };

/** Deadlock, lock wait timeout, MariaDB's "record has changed": the transaction must be repeated (Galera: also at COMMIT). */
const conflicts = new Set([1213, 1205, 1020]);

/** Too many connections, access denied, unknown database, shutdown, read-only, connection killed, Galera member not ready. */
const unavailable = new Set([1040, 1044, 1045, 1049, 1053, 1290, 1836, 1927, 1047, 3169]);

/** This host accepts no writes now; another one may. */
const notWritable = new Set([1290, 1836, 1047]);

export class Database implements Statements {
  readonly #connections: Connections;
  readonly #statementLimit: number;
  readonly #now: () => number;
  #outage: { readonly error: unknown; readonly since: number } | undefined;

  constructor(address: DatabaseAddress, options: DatabaseOptions = {}) {
    this.#connections = new Connections(address, options);
    this.#statementLimit = options.statementLimit ?? limits.statementMs;
    this.#now = options.now ?? Date.now;
  }

  /** The last failure, and the start of the outage by the given clock; undefined: the last statement was answered. */
  get outage(): { readonly error: unknown; readonly since: number } | undefined {
    return this.#outage;
  }

  rows<Row>(sql: string, values: readonly Value[] = []): Promise<readonly Row[]> {
    return this.#withConnection((connection) => statements(connection).rows<Row>(sql, values));
  }

  run(sql: string, values: readonly Value[] = []): Promise<number> {
    return this.#withConnection((connection) => statements(connection).run(sql, values));
  }

  /** Runs one statement as text, for DDL that cannot be prepared. */
  async define(sql: string): Promise<void> {
    await this.#withConnection((connection) => connection.query(sql));
  }

  /** Runs `work` in one transaction. After a conflict it is run again from the start. */
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
    await this.#connections.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #withConnection<Result>(work: (connection: PoolConnection) => Promise<Result>): Promise<Result> {
    try {
      const result = await this.#attempt(work);
      this.#outage = undefined;
      return result;
    } catch (error) {
      if (error instanceof DatabaseUnavailable)
        this.#outage = { error, since: this.#outage?.since ?? this.#now() };
      else this.#outage = undefined;
      throw error;
    }
  }

  async #attempt<Result>(work: (connection: PoolConnection) => Promise<Result>): Promise<Result> {
    const connection = await this.#connections.take();
    let isBroken = true;
    try {
      const result = await within(this.#statementLimit, work(connection), () => connection.destroy());
      isBroken = false;
      return result;
    } catch (error) {
      isBroken = isUnavailable(error);
      if (notWritable.has(errnoOf(error))) this.#connections.switchHost();
      throw translate(error);
    } finally {
      if (isBroken) connection.destroy();
      else connection.release();
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

/** `promise`, or a failure after `limit` ms. `abort` must end the promise. */
async function within<Result>(limit: number, promise: Promise<Result>, abort: () => void): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new DatabaseUnavailable(new Error(`no answer within ${limit} ms`)));
      abort();
    }, limit);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function translate(error: unknown): unknown {
  if (error instanceof DatabaseUnavailable || !isUnavailable(error)) {
    return errnoOf(error) === 1062 ? new DuplicateKey(error) : error;
  }
  return new DatabaseUnavailable(error);
}

/** A driver error without a number comes from the socket, not from the server. */
function isUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true;
  const { fatal, code } = error as { readonly fatal?: boolean; readonly code?: unknown };
  if (fatal === true || unavailable.has(errnoOf(error))) return true;
  return typeof code === "string" && /^(E[A-Z]+|PROTOCOL_[A-Z_]+)$/.test(code) && !code.startsWith("ER_");
}

const errnoOf = (error: unknown): number => (error as { readonly errno?: number }).errno ?? 0;
