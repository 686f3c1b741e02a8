/** The product and version of the database server, and whether Strowger can use it. */
import type { Statements } from "./database.ts";

export interface Server {
  readonly product: "MariaDB" | "MySQL" | "TiDB";
  readonly version: string;
  /** The binary collation in which trailing spaces count. */
  readonly nameCollation: "utf8mb4_nopad_bin" | "utf8mb4_0900_bin";
}

/** This program must not use the server or its schema. The message names the problem and the expected state. */
export class UnservableDatabase extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UnservableDatabase";
  }
}

const oldest = { MariaDB: [10, 6, 0], MySQL: [8, 0, 19], TiDB: [8, 0, 11] } as const;

export async function inspectServer(database: Statements): Promise<Server> {
  const [row] = await database.rows<{ version: string; isReadOnly: number }>(
    "SELECT VERSION() AS version, @@global.read_only AS isReadOnly",
  );
  const version = row?.version ?? "unknown";
  const product = /TiDB/i.test(version) ? "TiDB" : /MariaDB/i.test(version) ? "MariaDB" : "MySQL";
  if (isOlder(version, oldest[product])) {
    throw new UnservableDatabase(
      `the server is ${product} ${version}; expected ${product} ${oldest[product].join(".")} or newer`,
    );
  }
  if (Number(row?.isReadOnly) === 1) {
    throw new UnservableDatabase(
      "the server is read-only (@@global.read_only = 1); expected a server that accepts writes",
    );
  }
  const engines = await database.rows<{ support: string }>(
    "SELECT SUPPORT AS support FROM information_schema.ENGINES WHERE ENGINE = 'InnoDB'",
  );
  if (!engines.some(({ support }) => support === "YES" || support === "DEFAULT")) {
    throw new UnservableDatabase(
      "the server has no InnoDB; it is required, because bindings and owners need transactions",
    );
  }
  return {
    product,
    version,
    nameCollation: product === "MariaDB" ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin",
  };
}

function isOlder(version: string, than: readonly number[]): boolean {
  const numbers = (/\d+(\.\d+)*/.exec(version)?.[0] ?? "0").split(".").map(Number);
  for (const [index, limit] of than.entries()) {
    const number = numbers[index] ?? 0;
    if (number !== limit) return number < limit;
  }
  return false;
}
