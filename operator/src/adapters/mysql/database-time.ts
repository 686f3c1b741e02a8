/**
 * The database's clock in SQL. All statements of this program use these expressions. They do not depend on the time zone of the server:
 * `UNIX_TIMESTAMP(NOW())` is wrong by an hour when daylight saving time ends, because one hour of local time occurs twice.
 */

/** Milliseconds since 1970, signed. */
export const databaseNow = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)";

/** Whole seconds since 1970, as `location.expires` counts them. */
export const databaseSeconds = "UNIX_TIMESTAMP()";

/** A DATETIME in UTC, for the columns `last_modified` and `started_at`. */
export const databaseDatetime = "UTC_TIMESTAMP()";
