/**
 * Statements on one connection, each with a timeout. The callbacks of mysql2 are used, because its promises capture a stack trace for each
 * statement, which costs more than sending it. Its timeouts are not used: they cover neither the wait for a connection nor PREPARE.
 */
import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from "mysql2";
import type { Ms } from "../../wire/units.ts";
import { AmbiguousCommit, isConnectionLoss } from "./connection-errors.ts";

/** Runs a prepared statement. */
export function execute<T extends RowDataPacket[] | ResultSetHeader>(
  connection: PoolConnection,
  sql: string,
  values: readonly (string | number | null)[],
  timeout: Ms,
): Promise<T> {
  return withTimeout(timeout, "no answer", (settle) => connection.execute<T>({ sql }, [...values], settle));
}

/** Runs one statement, or several separated by semicolons: then there is a result of each. Without placeholders. */
export const query = (connection: PoolConnection, sql: string, timeout: Ms): Promise<unknown> =>
  withTimeout(timeout, "no answer", (settle) => connection.query({ sql }, settle));

/** A connection that is free after the timeout goes back into the pool. */
export const takeConnection = (pool: Pool, timeout: Ms): Promise<PoolConnection> =>
  withTimeout<PoolConnection>(
    timeout,
    "no free connection",
    (settle) => pool.getConnection(settle),
    (connection) => connection.release(),
  );

/** Throws `AmbiguousCommit` if the connection is lost. */
export async function commit(connection: PoolConnection, timeout: Ms): Promise<void> {
  try {
    await query(connection, "COMMIT", timeout);
  } catch (error) {
    if (isConnectionLoss(error)) throw new AmbiguousCommit("COMMIT", { cause: error });
    throw error;
  }
}

/** After a failed transaction: rolls back and releases the connection. A connection in an unknown state is closed. */
export async function rollBack(connection: PoolConnection, error: unknown, timeout: Ms): Promise<void> {
  if (error instanceof AmbiguousCommit || isConnectionLoss(error)) return connection.destroy();
  try {
    await query(connection, "ROLLBACK", timeout);
    connection.release();
  } catch {
    connection.destroy();
  }
}

/** Rejects after `timeout`. A result that arrives later goes to `onLate`. */
export function withTimeout<T>(
  timeout: Ms,
  failure: string,
  start: (settle: (error: Error | null, result: T) => void) => void,
  onLate: (result: T) => void = () => {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reject(new Error(`${failure} within ${timeout} ms`));
    }, timeout);
    start((error, result) => {
      clearTimeout(timer);
      if (error !== null) reject(error);
      else if (isLate) onLate(result);
      else resolve(result);
    });
  });
}
