/** When the leader of a database last gave a sign of life, for whoever wants to take the database over (design: ownership, rule 1). */
import type { Ms } from "../../runtime/clock.ts";
import type { Statements } from "./database.ts";
import { databaseNow } from "./database-time.ts";

export interface LeaderBeat {
  /** Who, as the leader named itself. */
  readonly leader: string;
  /** Since its last beat, by the database's clock. Infinity: there never was one, or the leader has said good-bye. */
  readonly age: Ms;
}

export async function leaderBeat(database: Statements): Promise<LeaderBeat> {
  const [row] = await database.rows<{ leader: string; age: number | string; beats: number }>(
    `SELECT leader, ${databaseNow} - CAST(leader_beat_at AS SIGNED) AS age, leader_beat_at > 0 AS beats FROM strowger_meta WHERE id = 1`,
  );
  const isBeating = Number(row?.beats ?? 0) === 1;
  return {
    leader: row?.leader ?? "",
    age: isBeating ? Math.max(0, Number(row?.age)) : Number.POSITIVE_INFINITY,
  };
}

/** As whom a leader beats: under its epoch, in the database that it took. */
export interface Leadership {
  readonly id: string;
  readonly epoch: number;
}

/**
 * Returns false where the epoch or the installation is another one: the beat of a leader that was replaced counts for nothing, and two
 * databases may well have the same epoch.
 */
export async function beat(database: Statements, { id, epoch }: Leadership): Promise<boolean> {
  const beaten = await database.run(
    `UPDATE strowger_meta SET leader_beat_at = ${databaseNow} WHERE id = 1 AND installation_id = ? AND epoch = ?`,
    [id, epoch],
  );
  return beaten === 1;
}

/** Withdraws the beat, so that no other operator waits for this one. */
export async function resign(database: Statements, { id, epoch }: Leadership): Promise<void> {
  await database.run(
    "UPDATE strowger_meta SET leader_beat_at = 0 WHERE id = 1 AND installation_id = ? AND epoch = ?",
    [id, epoch],
  );
}
