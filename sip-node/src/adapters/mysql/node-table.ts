/** The table `strowger_node`, through which nodes find each other (`../../cluster/node-directory.ts`). */
import type { NodeDirectory, NodeHeartbeat } from "../../cluster/node-directory.ts";
import { hostPort } from "../../wire/flow.ts";
import { parseHostPort } from "../../wire/uri.ts";
import type { Database, Row } from "./database.ts";
import { databaseNow } from "./database-time.ts";

/** A node without a heartbeat for this time counts as gone. */
const staleAfterMs = 10_000;
const removedAfterMs = 3_600_000;

/** Numbers of migrations (`schema/`): the first that has the tables of this code, and the last that this code knows. */
export const schemaRange = { min: 8, max: 8 };

export interface Schema {
  /** The number of the last migration of the database; 0: none. */
  readonly number: number;
  /** The lowest migration that a program must know to serve this database. */
  readonly servesFrom: number;
}

/** Why this node cannot serve the schema; undefined: it can. A later migration states whether older programs can serve it. */
export function schemaProblem({ number, servesFrom }: Schema): string | undefined {
  const { min, max } = schemaRange;
  if (number < min) return `the database's schema is ${number}, and this node needs ${min} or later`;
  if (servesFrom > max)
    return `the database's schema is ${number}, for programs that know ${servesFrom} or later, and this node knows up to ${max}`;
  return undefined;
}

export interface NodeDescription {
  readonly name: string;
  readonly version: string;
  readonly configurationHash: () => string;
  /** Why the node cannot open a new connection to the database; "": it can. */
  readonly databaseError: () => string;
}

export class NodeTable implements NodeDirectory {
  private readonly database: Database;
  private readonly description: NodeDescription;

  constructor(database: Database, description: NodeDescription) {
    this.database = database;
    this.description = description;
  }

  /** Reads all columns: a table of an earlier version has no `serves_from`, and then every program can serve it. */
  async schema(): Promise<Schema> {
    const rows = await this.database.read<Row>("schema", "SELECT * FROM strowger_migration", []);
    return {
      number: rows.reduce(
        (last, row) => (Number(row["finished"]) === 1 ? Math.max(last, Number(row["number"])) : last),
        0,
      ),
      servesFrom: rows.reduce((highest, row) => Math.max(highest, Number(row["serves_from"] ?? 1)), 1),
    };
  }

  async writeHeartbeat({ id, address, isDraining, load, outsideReceivedAgo }: NodeHeartbeat) {
    const { name, version, configurationHash, databaseError } = this.description;
    await this.database.write(
      "beat",
      `INSERT INTO strowger_node (node_id, address, name, version, schema_min, schema_max, configuration_hash, load_transactions,
  calls_per_minute, requests_per_minute, outside_seen_at, draining, database_error, started_at, beat_at)
VALUES (?, ?, ?, ?, ${schemaRange.min}, ${schemaRange.max}, ?, ?, ?, ?, IF(? < 0, 0, ${databaseNow} - ?), ?, ?, ${databaseNow}, ${databaseNow})
ON DUPLICATE KEY UPDATE configuration_hash = VALUES(configuration_hash), load_transactions = VALUES(load_transactions),
  calls_per_minute = VALUES(calls_per_minute), requests_per_minute = VALUES(requests_per_minute),
  outside_seen_at = VALUES(outside_seen_at), draining = VALUES(draining), database_error = VALUES(database_error),
  beat_at = VALUES(beat_at)`,
      [
        id,
        hostPort(address.host, address.port),
        name,
        version,
        configurationHash(),
        load.transactions,
        load.callsPerMinute,
        load.requestsPerMinute,
        Math.round(outsideReceivedAgo ?? -1),
        Math.round(outsideReceivedAgo ?? 0),
        isDraining ? 1 : 0,
        databaseError(),
      ],
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

  async remove(id: string): Promise<void> {
    await this.database.write("leave", "DELETE FROM strowger_node WHERE node_id = ?", [id]);
  }

  /** Deletes the rows of nodes that were killed. */
  async deleteStaleRows(): Promise<void> {
    await this.database.write(
      "sweep nodes",
      `DELETE FROM strowger_node WHERE beat_at < ${databaseNow} - ${removedAfterMs}`,
      [],
    );
  }
}
