/**
 * The database's clock as SQL: the one place of this program that asks for the time. Every expression is the same in every time zone and at
 * every hour: `NOW()` is an hour wrong for an hour of autumn where the server's zone has summer time, because `UNIX_TIMESTAMP(NOW())`
 * reads a local time that occurs twice.
 */

/** Milliseconds since 1970, signed. */
export const databaseNow = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)";

/** Whole seconds since 1970, as `location.expires` counts them. */
export const databaseSeconds = "UNIX_TIMESTAMP()";

/** A DATETIME in UTC, for the columns `last_modified` and `started_at`. */
export const databaseDatetime = "UTC_TIMESTAMP()";
