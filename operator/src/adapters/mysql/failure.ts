/** Why a database cannot serve, for a person who wants to put it right. */
import type { Reason } from "../../runtime/reason.ts";
import { DatabaseUnavailable, messageOf } from "./database-unavailable.ts";
import { DuplicateKey } from "./database.ts";
import { LeadershipLost } from "./installation.ts";
import { MigrationWaits } from "./schema-now.ts";
import { UnservableDatabase } from "./server.ts";

export interface Failure {
  /** For a condition. */
  readonly reason: Reason;
  /** What is wrong, and what to check. The same for the same cause, so that it can be compared. */
  readonly message: string;
}

/** What a SipCluster says about its database cannot be used. */
export class UnusableAddress extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, message: string) {
    super(message);
    this.name = "UnusableAddress";
    this.reason = reason;
  }
}

/** Undefined where the error is none of a database. */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof UnusableAddress) return { reason: error.reason, message: error.message };
  if (error instanceof DatabaseUnavailable) return reachFailure(rootOf(error));
  if (error instanceof MigrationWaits) return { reason: "MigrationWaits", message: error.message };
  if (error instanceof UnservableDatabase) return { reason: "DatabaseUnservable", message: error.message };
  if (error instanceof LeadershipLost) return { reason: "DatabaseTaken", message: error.message };
  if (isTableMissing(error)) return { reason: "TablesMissing", message: `${messageOf(error)}; ${remade}` };
  if (error instanceof DuplicateKey)
    return {
      reason: "Conflict",
      message: "somebody else made a row of one of its names at this moment; looked at again",
    };
  return undefined;
}

/** The server answers, and has no such table: somebody removed what was migrated. */
export const isTableMissing = (error: unknown): boolean =>
  (error as { readonly errno?: number } | undefined)?.errno === 1146;

const remade =
  "the database was emptied, or lost a table. Missing tables are made again within seconds, domains and users from their objects, and phones when they register";

function reachFailure(cause: unknown): Failure {
  const { code, errno } = cause as { readonly code?: string; readonly errno?: number };
  const says = messageOf(cause);
  const known = byNumber.get(errno ?? 0) ?? byCode.find(([codes]) => codes.test(code ?? ""))?.[1];
  const { reason, check } = known ?? { reason: "DatabaseUnavailable", check: "tried again until it is back" };
  return { reason, message: `database unavailable: ${says}; ${check}` };
}

interface Kind {
  readonly reason: Reason;
  readonly check: string;
}

const denied: Kind = {
  reason: "DatabaseAccessDenied",
  check: "check the user, its password and what it may do",
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
      check: "create it, with `strowger db create` for instance, or name another",
    },
  ],
  [1040, { reason: "DatabaseUnavailable", check: "it has too many connections, raise max_connections" }],
]);

const byCode: readonly (readonly [RegExp, Kind])[] = [
  [/^(ENOTFOUND|EAI_AGAIN)$/, { reason: "DatabaseHostUnknown", check: "no such host, check its name" }],
  [
    /^(HANDSHAKE_|ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/,
    { reason: "DatabaseTlsFailed", check: "check the server's certificate, its name and the CA" },
  ],
];

function rootOf(error: unknown): unknown {
  const { cause } = error as { readonly cause?: unknown };
  return error instanceof DatabaseUnavailable && cause !== undefined ? rootOf(cause) : error;
}
