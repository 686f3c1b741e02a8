/** The rows of SIP nodes in `strowger_node`. Ages are by the database's clock. */
import type { Statements } from "./database.ts";
import { databaseNow } from "./database-time.ts";

export interface NodeRow {
  readonly id: string;
  /** The name of the pod. */
  readonly name: string;
  /** The schema numbers that it can serve. */
  readonly schemaMin: number;
  readonly schemaMax: number;
  /** Of the configuration and keys in force on the node. */
  readonly configurationHash: string;
  /** Open transactions. */
  readonly load: number;
  readonly isDraining: boolean;
  readonly callsPerMinute: number;
  readonly requestsPerMinute: number;
  /** Why a new login to the database fails; '': it succeeds. */
  readonly databaseError: string;
  /** Milliseconds. */
  readonly sinceHeartbeat: number;
  readonly sinceStart: number;
  /** Since the last datagram from outside the cluster; undefined: there was none. */
  readonly sinceOutside: number | undefined;
}

/** Every node with a heartbeat in the last minute, the latest start first. */
export async function readNodes(database: Statements): Promise<readonly NodeRow[]> {
  const rows = await database.rows<Omit<NodeRow, "isDraining" | "sinceOutside"> & Record<string, unknown>>(
    `SELECT node_id AS id, name, schema_min AS schemaMin, schema_max AS schemaMax, configuration_hash AS configurationHash,
       load_transactions AS \`load\`, draining, calls_per_minute AS callsPerMinute, requests_per_minute AS requestsPerMinute,
       database_error AS databaseError,
       ${databaseNow} - CAST(beat_at AS SIGNED) AS sinceHeartbeat, ${databaseNow} - CAST(started_at AS SIGNED) AS sinceStart,
       IF(outside_seen_at = 0, NULL, ${databaseNow} - CAST(outside_seen_at AS SIGNED)) AS outside
     FROM strowger_node WHERE CAST(beat_at AS SIGNED) > ${databaseNow} - 60000 ORDER BY started_at DESC, node_id`,
  );
  return rows.map(({ draining, outside, ...row }) => ({
    ...row,
    sinceHeartbeat: Number(row.sinceHeartbeat),
    sinceStart: Number(row.sinceStart),
    isDraining: Number(draining) !== 0,
    sinceOutside: outside === null ? undefined : Number(outside),
  }));
}
