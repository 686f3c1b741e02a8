/**
 * The clock of the database as SQL expressions. No other file of this program reads it. The expressions do not depend on the time zone of the
 * server. `UNIX_TIMESTAMP(NOW())` does: at the end of summer time a local hour occurs twice, and during one of them it is an hour wrong.
 */

/** Milliseconds since 1970, signed. */
export const databaseNow = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)";

/** Whole seconds since 1970, the unit of `location.expires`. */
export const databaseSeconds = "UNIX_TIMESTAMP()";

/** A DATETIME in UTC, for the columns `last_modified`. */
export const databaseDatetime = "UTC_TIMESTAMP()";

/**
 * Whole seconds since a DATETIME in the time zone of the session, as in `information_schema`. In the hour when summer time ends it may be an hour
 * too small.
 */
export const secondsSinceLocal = (column: string): string => `TIMESTAMPDIFF(SECOND, ${column}, NOW())`;
