/**
 * Deletes what is over: targets of dialogs, and bindings that expired a while ago, because removal sets the expiry into the past, so that
 * every node can read it first (rule 14).
 */
import type { Database, Row } from "./database.ts";
import { databaseSeconds } from "./database-time.ts";
import { reapDialogTargets } from "./dialog-target-rows.ts";
import { padded, placeholders } from "./placeholders.ts";

/** Longer than a nonce lives (300 s): until then a removed binding tells a REGISTER that is sent again from a new one (rule 16). */
const graceSeconds = 330;
const batchSize = 512;

/** A node takes at most this many batches in one go. */
const maxBatches = 40;

/** Reaps until little is left; several nodes may reap at once. */
export async function reapAll(database: Database): Promise<void> {
  for (let batch = 0; batch < maxBatches; batch++) if ((await reap(database)) < batchSize) break;
  for (let batch = 0; batch < maxBatches; batch++)
    if ((await reapDialogTargets(database, batchSize)) < batchSize) return;
}

/** Returns how many rows went, at most a batch. */
export async function reap(database: Database): Promise<number> {
  const rows = await database.read<Row>(
    "expired",
    `SELECT CAST(contact_id AS CHAR) AS id FROM location WHERE expires <> 0 AND expires < ${databaseSeconds} - ${graceSeconds} LIMIT ${batchSize}`,
    [],
  );
  const ids = padded(rows.map((row) => String(row["id"])));
  if (ids.length === 0) return 0;
  await database.transaction("reap", async (session) => {
    const list = placeholders(ids.length);
    await session.write(
      "reap",
      `DELETE FROM location WHERE contact_id IN (${list}) AND expires <> 0 AND expires < ${databaseSeconds} - ${graceSeconds}`,
      ids,
    );
    await session.write(
      "reap",
      `DELETE FROM strowger_flow WHERE contact_id IN (${list}) AND contact_id NOT IN (SELECT contact_id FROM location WHERE contact_id IN (${list}))`,
      [...ids, ...ids],
    );
    return true;
  });
  return rows.length;
}
