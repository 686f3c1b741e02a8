/** The heartbeat of a database's leader. It protects the database from another operator (design-kubernetes rule 1). */
import type { Ms } from "../../runtime/clock.ts";
import type { Statements } from "./database.ts";
import { databaseNow } from "./database-time.ts";

export interface LeaderHeartbeat {
  /** The name that the leader wrote. */
  readonly leader: string;
  /** Since its last heartbeat, by the database's clock. Infinity: there was none, or the leader has withdrawn it. */
  readonly age: Ms;
}

export async function readLeaderHeartbeat(database: Statements): Promise<LeaderHeartbeat> {
  const [row] = await database.rows<{ leader: string; age: number | string; beats: number }>(
    `SELECT leader, ${databaseNow} - CAST(leader_beat_at AS SIGNED) AS age, leader_beat_at > 0 AS beats FROM strowger_meta WHERE id = 1`,
  );
  const isAlive = Number(row?.beats ?? 0) === 1;
  return {
    leader: row?.leader ?? "",
    age: isAlive ? Math.max(0, Number(row?.age)) : Number.POSITIVE_INFINITY,
  };
}

/** Identifies a leader: its epoch, in the database that it took. */
export interface Leadership {
  readonly id: string;
  readonly epoch: number;
}

/**
 * Returns false if the epoch or the installation is another one: then this leader was replaced. The id is compared too, because two
 * databases can have the same epoch.
 */
export async function writeLeaderHeartbeat(
  database: Statements,
  { id, epoch }: Leadership,
): Promise<boolean> {
  const written = await database.run(
    `UPDATE strowger_meta SET leader_beat_at = ${databaseNow} WHERE id = 1 AND installation_id = ? AND epoch = ?`,
    [id, epoch],
  );
  return written === 1;
}

/** Withdraws the heartbeat, so that no other operator waits for this one. */
export async function resign(database: Statements, { id, epoch }: Leadership): Promise<void> {
  await database.run(
    "UPDATE strowger_meta SET leader_beat_at = 0 WHERE id = 1 AND installation_id = ? AND epoch = ?",
    [id, epoch],
  );
}
