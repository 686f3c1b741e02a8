/** The table `strowger_node`, through which nodes find each other (`../../cluster/node-directory.ts`). */
import type { DirectoryNode, NodeDirectory, NodeHeartbeat } from "../../cluster/node-directory.ts";
import { hostPort } from "../../wire/flow.ts";
import { parseHostPort } from "../../wire/uri.ts";
import type { Database, Row, Value } from "./database.ts";
import { databaseNow } from "./database-time.ts";
import { literal } from "./literal.ts";

/** A node without a heartbeat for this time is marked gone. It is longer than any node uses a list of the nodes. */
const staleAfterMs = 10_000;
/** Nodes that know this migration check in each commit that they are not marked gone. Only they are marked. */
const fencedFrom = 9;
/** An earlier node without a heartbeat for this time counts as gone. */
const forgottenAfterMs = 60_000;
const removedAfterMs = 3_600_000;

/** Numbers of migrations (`schema/`): the first that has the tables of this code, and the last that this code knows. */
export const schemaRange = { min: 9, max: 9 };

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

  async join(heartbeat: NodeHeartbeat): Promise<void> {
    await this.database.write(
      "join",
      `INSERT INTO strowger_node (node_id, address, name, version, schema_min, schema_max, started_at, gone, ${changing.join(", ")})
VALUES (?, ?, ?, ?, ${schemaRange.min}, ${schemaRange.max}, ${databaseNow}, 0, ${changingValues.join(", ")})
ON DUPLICATE KEY UPDATE gone = 0, ${changing.map((column) => `${column} = VALUES(${column})`).join(", ")}`,
      [
        heartbeat.id,
        hostPort(heartbeat.address.host, heartbeat.address.port),
        this.description.name,
        this.description.version,
        ...this.valuesOf(heartbeat),
      ],
    );
  }

  async beat(heartbeat: NodeHeartbeat): Promise<void> {
    await this.database.write(
      "beat",
      `UPDATE strowger_node SET ${changing.map((column, i) => `${column} = ${changingValues[i] ?? ""}`).join(", ")}
WHERE node_id = ? AND gone = 0`,
      [...this.valuesOf(heartbeat), heartbeat.id],
    );
  }

  async list(): Promise<readonly DirectoryNode[]> {
    const rows = await this.database.read<Row>(
      "nodes",
      `SELECT node_id AS id, address,
  gone = 1 OR (schema_max < ${fencedFrom} AND beat_at <= ${databaseNow} - ${forgottenAfterMs}) AS gone,
  gone = 0 AND schema_max >= ${fencedFrom} AND beat_at <= ${databaseNow} - ${staleAfterMs} AS stale
FROM strowger_node`,
      [],
    );
    return rows.flatMap((row) => {
      const found = parseHostPort(String(row["address"]));
      if (found?.port === undefined) return [];
      const address = { host: found.host, port: found.port };
      return [
        {
          ...{ id: String(row["id"]), address },
          ...{ isGone: Number(row["gone"]) === 1, isStale: Number(row["stale"]) === 1 },
        },
      ];
    });
  }

  /** By their keys, so that it waits for the commits of these nodes only. */
  async markGone(ids: readonly string[]): Promise<void> {
    for (const id of ids)
      await this.database.write(
        "mark gone",
        `UPDATE strowger_node SET gone = 1 WHERE node_id = ? AND gone = 0 AND beat_at <= ${databaseNow} - ${staleAfterMs}`,
        [id],
      );
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

  /** The values of `changing`. */
  private valuesOf({ isDraining, load, outsideReceivedAgo }: NodeHeartbeat): Value[] {
    return [
      this.description.configurationHash(),
      ...[load.transactions, load.callsPerMinute, load.requestsPerMinute],
      ...[Math.round(outsideReceivedAgo ?? -1), Math.round(outsideReceivedAgo ?? 0)],
      isDraining ? 1 : 0,
      this.description.databaseError(),
    ];
  }
}

/** The columns that each heartbeat writes, and their values. */
const changing = [
  ...[
    "configuration_hash",
    "load_transactions",
    "calls_per_minute",
    "requests_per_minute",
    "outside_seen_at",
  ],
  ...["draining", "database_error", "beat_at"],
];
const changingValues = [
  ...["?", "?", "?", "?", `IF(? < 0, 0, ${databaseNow} - ?)`],
  ...["?", "?", databaseNow],
];

/**
 * Whether this node is a member, checked in the transaction of a commit: its row is not marked gone, and cannot be marked before the
 * transaction is over. `FOR UPDATE`, because TiDB has no shared lock.
 */
export const lockOwnRow = (id: string): string =>
  `SELECT 1 AS found FROM strowger_node WHERE node_id = ${literal(id)} AND gone = 0 FOR UPDATE`;
