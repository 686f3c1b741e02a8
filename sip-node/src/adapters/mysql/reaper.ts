/**
 * Deletes the targets of ended dialogs, and bindings some time after they expired. A REGISTER that removes a binding sets its expiry into the
 * past, so that every node can still read the row for a while (rule 14).
 */
import type { Database, Row } from "./database.ts";
import { databaseSeconds } from "./database-time.ts";
import { reapDialogTargets } from "./dialog-target-rows.ts";
import { padToPowerOfTwo, placeholders } from "./placeholders.ts";

/** Longer than the lifetime of a nonce (300 s). Until then the removed row shows whether a REGISTER is a replay (rule 16). */
const graceSeconds = 330;
const batchSize = 512;

/** The largest number of batches of one node at a time. */
const maxBatches = 40;

/** Deletes batch by batch until a batch is not full. Several nodes may do so at the same time. */
export async function reapAll(database: Database): Promise<void> {
  for (let batch = 0; batch < maxBatches; batch++) if ((await reap(database)) < batchSize) break;
  for (let batch = 0; batch < maxBatches; batch++)
    if ((await reapDialogTargets(database, batchSize)) < batchSize) return;
}

/** Returns the number of deleted rows, at most a batch. */
export async function reap(database: Database): Promise<number> {
  const rows = await database.read<Row>(
    "expired",
    `SELECT CAST(contact_id AS CHAR) AS id FROM location WHERE expires <> 0 AND expires < ${databaseSeconds} - ${graceSeconds} LIMIT ${batchSize}`,
    [],
  );
  const ids = padToPowerOfTwo(rows.map((row) => String(row["id"])));
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
