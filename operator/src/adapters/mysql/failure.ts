/** Why a database cannot be used, and what to check. */
import type { Reason } from "../../runtime/reason.ts";
import { DatabaseUnavailable, messageOf } from "./database-unavailable.ts";
import { DuplicateKey } from "./database.ts";
import { LeadershipLost } from "./installation.ts";
import { MigrationWaits } from "./schema-now.ts";
import { UnservableDatabase } from "./server.ts";

export interface Failure {
  /** For a condition. */
  readonly reason: Reason;
  /** The problem, and what to check. Equal for equal causes, so that messages can be compared. */
  readonly message: string;
}

/** The database settings of a SipCluster cannot be used. */
export class UnusableAddress extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, message: string) {
    super(message);
    this.name = "UnusableAddress";
    this.reason = reason;
  }
}

/** Undefined: the error is not about a database. */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof UnusableAddress) return { reason: error.reason, message: error.message };
  if (error instanceof DatabaseUnavailable) return reachFailure(rootOf(error));
  if (error instanceof MigrationWaits) return { reason: "MigrationWaits", message: error.message };
  if (error instanceof UnservableDatabase) return { reason: "DatabaseUnservable", message: error.message };
  if (error instanceof LeadershipLost) return { reason: "DatabaseTaken", message: error.message };
  if (isTableMissing(error)) return { reason: "TablesMissing", message: `${messageOf(error)}; ${recreated}` };
  if (error instanceof DuplicateKey)
    return {
      reason: "Conflict",
      message: "another program has inserted a row with one of its names just now; tried again",
    };
  return undefined;
}

/** The server has no such table: a migrated table was dropped. */
export const isTableMissing = (error: unknown): boolean =>
  (error as { readonly errno?: number } | undefined)?.errno === 1146;

const recreated =
  "the database was emptied, or a table was dropped. Missing tables are created again within seconds, domains and users from their objects, and bindings when phones register";

function reachFailure(cause: unknown): Failure {
  const { code, errno } = cause as { readonly code?: string; readonly errno?: number };
  const message = messageOf(cause);
  const known = byNumber.get(errno ?? 0) ?? byCode.find(([codes]) => codes.test(code ?? ""))?.[1];
  const { reason, check } = known ?? { reason: "DatabaseUnavailable", check: "tried again until it is back" };
  return { reason, message: `database unavailable: ${message}; ${check}` };
}

interface Kind {
  readonly reason: Reason;
  readonly check: string;
}

const denied: Kind = {
  reason: "DatabaseAccessDenied",
  check: "check the user, its password and its privileges",
};

const byNumber = new Map<number, Kind>([
  [1044, denied],
  [1045, denied],
  [1142, denied],
  [1227, denied],
  [1698, denied],
  [
    1049,
    {
      reason: "DatabaseNotFound",
      check: "create it, for example with `strowger db create`, or name another one",
    },
  ],
  [1040, { reason: "DatabaseUnavailable", check: "it has too many connections, raise max_connections" }],
]);

const byCode: readonly (readonly [RegExp, Kind])[] = [
  [/^(ENOTFOUND|EAI_AGAIN)$/, { reason: "DatabaseHostUnknown", check: "the host name is unknown; check it" }],
  [
    /^(HANDSHAKE_|ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/,
    { reason: "DatabaseTlsFailed", check: "check the server's certificate, its name and the CA" },
  ],
];

function rootOf(error: unknown): unknown {
  const { cause } = error as { readonly cause?: unknown };
  return error instanceof DatabaseUnavailable && cause !== undefined ? rootOf(cause) : error;
}
