/** Kinds of errors that mysql2 and MySQL report. */

/** The outcome of COMMIT is unknown: the connection was lost while it ran. */
export class AmbiguousCommit extends Error {}

// Deadlock (Galera reports one at COMMIT too), lock wait timeout, record changed since it was read
const conflicts = new Set([1213, 1205, 1020]);
// Too many connections; access denied; unknown database; server shutdown; no such table (before the migration); read-only server
const unavailable = new Set([1040, 1044, 1045, 1049, 1053, 1146, 1290, 1836, 1927]);
const networkFailures = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "ENOTFOUND",
]);

interface MysqlError {
  readonly errno?: number;
  readonly code?: string;
  readonly sqlState?: string;
  readonly fatal?: boolean;
}

/** The transaction can be repeated. */
export const isConflict = (error: unknown): boolean => conflicts.has((error as MysqlError).errno ?? 0);

/** No server listens there, or the network cannot reach it. A busy pool is no such failure. */
export const isConnectFailure = (error: unknown): boolean =>
  networkFailures.has((error as MysqlError).code ?? "");

/**
 * An error of the connection and not of the statement. Errors of a statement have an SQLSTATE of the server. Errors of a connection, a timeout
 * or the pool have none, or one that begins with 08.
 */
export function isConnectionLoss(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return false; // an internal error, not an outage
  const { sqlState, errno, fatal } = error as MysqlError;
  if (sqlState === undefined || sqlState.startsWith("08") || fatal === true) return true;
  return unavailable.has(errno ?? 0);
}
