/** Where nodes meet: `strowger_node` (`../../cluster/node-directory.ts`). */
import type { Address } from "../../cluster/membership.ts";
import type { NodeDirectory } from "../../cluster/node-directory.ts";
import { hostPort } from "../../wire/flow.ts";
import { parseHostPort } from "../../wire/uri.ts";
import { databaseNow } from "./binding-rows.ts";
import type { Database, Row } from "./database.ts";

/** Rows without a beat for longer are other processes' leavings. */
const staleAfterMs = 10_000;
const removedAfterMs = 3_600_000;

/** The migrations (`schema/`) that this code can serve: the first that has its tables, the last it was tried with. */
const schemaRange = { min: 2, max: 2 };

export class NodeTable implements NodeDirectory {
  private readonly database: Database;
  private readonly about: { readonly version: string; readonly configurationHash: () => string };

  constructor(
    database: Database,
    about: { readonly version: string; readonly configurationHash: () => string },
  ) {
    this.database = database;
    this.about = about;
  }

  async beat(self: { readonly id: string; readonly address: Address; readonly load: number }) {
    const { id, address, load } = self;
    await this.database.write(
      "beat",
      `INSERT INTO strowger_node (node_id, address, version, schema_min, schema_max, configuration_hash, load_transactions, started_at, beat_at)
VALUES (?, ?, ?, ${schemaRange.min}, ${schemaRange.max}, ?, ?, ${databaseNow}, ${databaseNow})
ON DUPLICATE KEY UPDATE configuration_hash = VALUES(configuration_hash), load_transactions = VALUES(load_transactions), beat_at = VALUES(beat_at)`,
      [id, hostPort(address.host, address.port), this.about.version, this.about.configurationHash(), load],
    );
    const rows = await this.database.read<Row>(
      "nodes",
      `SELECT node_id AS id, address FROM strowger_node WHERE node_id <> ? AND beat_at > ${databaseNow} - ${staleAfterMs}`,
      [id],
    );
    return rows.flatMap((row) => {
      const found = parseHostPort(String(row["address"]));
      return found?.port === undefined
        ? []
        : [{ id: String(row["id"]), address: { host: found.host, port: found.port } }];
    });
  }

  async leave(id: string): Promise<void> {
    await this.database.write("leave", "DELETE FROM strowger_node WHERE node_id = ?", [id]);
  }

  /** Rows of nodes that were killed. */
  async sweep(): Promise<void> {
    await this.database.write(
      "sweep nodes",
      `DELETE FROM strowger_node WHERE beat_at < ${databaseNow} - ${removedAfterMs}`,
      [],
    );
  }
}
