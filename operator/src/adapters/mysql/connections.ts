/**
 * Connections to a database: a bounded pool on one host at a time. If the host fails, or accepts no writes, the next host is used. If no host
 * answers, no attempt is made for a while; the pause becomes longer each time.
 */
import { createPool, type Pool, type PoolConnection, type RowDataPacket } from "mysql2/promise";
import { DatabaseUnavailable } from "./database-unavailable.ts";
import { hostsOf, type DatabaseAddress } from "./database-url.ts";

export interface ConnectionOptions {
  /** Connects without a database, to create it. */
  readonly withoutSchema?: boolean;
  /** A clock in milliseconds. */
  readonly now?: () => number;
}

const limits = { connections: 8, connectMs: 3_000, pauseMs: 100, longestPauseMs: 3_000 };

export class Connections {
  readonly #address: DatabaseAddress;
  readonly #options: ConnectionOptions;
  readonly #hosts: readonly string[];
  readonly #now: () => number;
  #host = 0;
  #pool: Pool;
  #failures = 0;
  #lastFailure: unknown;
  #pauseUntil = 0;

  constructor(address: DatabaseAddress, options: ConnectionOptions) {
    this.#address = address;
    this.#options = options;
    this.#hosts = hostsOf(address);
    this.#now = options.now ?? Date.now;
    this.#pool = this.#createPool();
  }

  /** Throws `DatabaseUnavailable` if no host answers, and at once during the pause after a failure. */
  async take(): Promise<PoolConnection> {
    if (this.#now() < this.#pauseUntil)
      throw new DatabaseUnavailable(this.#lastFailure, "the last attempt to connect failed just now: ");
    let failure: unknown;
    for (let tried = 0; tried < this.#hosts.length; tried += 1) {
      const pool = this.#pool;
      try {
        const connection = await this.#connect(pool);
        this.#failures = 0;
        return connection;
      } catch (error) {
        failure = error;
        this.switchHost(pool);
      }
    }
    this.#lastFailure = failure;
    this.#pauseUntil = this.#now() + Math.min(limits.longestPauseMs, limits.pauseMs * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 10);
    throw new DatabaseUnavailable(failure);
  }

  /** Switches to the next host, unless another call has switched from `pool` already. */
  switchHost(pool = this.#pool): void {
    if (this.#hosts.length === 1 || pool !== this.#pool) return;
    this.#host = (this.#host + 1) % this.#hosts.length;
    this.#pool = this.#createPool();
    void pool.end().catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  /** One of several hosts must accept writes. */
  async #connect(pool: Pool): Promise<PoolConnection> {
    const connection = await pool.getConnection();
    if (this.#hosts.length === 1) return connection;
    try {
      const [rows] = await connection.query<RowDataPacket[]>("SELECT @@global.read_only AS isReadOnly");
      if (Number(rows[0]?.["isReadOnly"]) !== 1) return connection;
    } catch (error) {
      connection.destroy();
      throw error;
    }
    connection.destroy();
    throw new Error(`${this.#hosts[this.#host]} is read-only (@@global.read_only = 1)`);
  }

  #createPool(): Pool {
    const { port, user, password, database, tls, ca } = this.#address;
    const pool = createPool({
      host: this.#hosts[this.#host] ?? "",
      port,
      user,
      password,
      ...(this.#options.withoutSchema === true ? {} : { database }),
      ...(tls === "off" ? {} : { ssl: tlsOptions(tls, ca) }),
      charset: "utf8mb4",
      timezone: "Z",
      connectionLimit: limits.connections,
      maxIdle: limits.connections,
      connectTimeout: limits.connectMs,
      enableKeepAlive: true,
      maxPreparedStatements: 200,
      trace: false, // a stack trace for each statement costs a third of its time
    });
    pool.pool.on("connection", (connection) => {
      connection.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", () => undefined);
      connection.query("SET SESSION innodb_lock_wait_timeout = 5", () => undefined);
    });
    return pool;
  }
}

const tlsOptions = (tls: "encrypt" | "verify", ca: string | undefined) => ({
  rejectUnauthorized: tls === "verify",
  verifyIdentity: tls === "verify",
  ...(ca === undefined ? {} : { ca }),
});
