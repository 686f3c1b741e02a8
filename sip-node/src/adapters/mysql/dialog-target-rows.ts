/** Reads and writes rows of `strowger_dialog_target` (see `../../../../schema`). */
import type { DialogTarget } from "../../location/dialog-target.ts";
import { parseFlowKey } from "../../wire/flow.ts";
import type { Row, Session } from "./database.ts";
import { databaseNow } from "./database-time.ts";
import { padToPowerOfTwo, placeholders } from "./placeholders.ts";

interface TargetRow extends Row {
  readonly side_id: string;
  readonly contact_key: string;
  readonly flow: string;
  readonly behind_nat: number;
  readonly owner_node: string;
}

/** Longer than a dialog token is valid (24 h): no phone has a token of the dialog any more. */
const retention = 25 * 3_600_000;

export async function readDialogTargets(
  session: Session,
  sideIds: readonly string[],
): Promise<readonly (DialogTarget | undefined)[]> {
  const batch = padToPowerOfTwo(sideIds);
  const rows = await session.read<TargetRow>(
    "dialog targets",
    `SELECT CAST(side_id AS CHAR) AS side_id, CAST(contact_key AS CHAR) AS contact_key, flow, behind_nat, owner_node
FROM strowger_dialog_target WHERE side_id IN (${placeholders(batch.length)})`,
    batch,
  );
  return sideIds.map((id) => rows.filter((row) => row.side_id === id).flatMap(targetOf)[0]);
}

function targetOf(row: TargetRow): DialogTarget[] {
  const flow = parseFlowKey(row.flow);
  if (flow === undefined) return [];
  return [
    {
      sideId: row.side_id,
      contactKey: row.contact_key,
      flow,
      isBehindNat: row.behind_nat === 1,
      ownerNode: row.owner_node,
    },
  ];
}

export async function writeDialogTargets(session: Session, targets: readonly DialogTarget[]): Promise<void> {
  const batch = padToPowerOfTwo(targets);
  await session.write(
    "write dialog targets",
    `INSERT INTO strowger_dialog_target (side_id, contact_key, flow, behind_nat, owner_node, refreshed_at)
VALUES ${placeholders(batch.length, `(${placeholders(5)}, ${databaseNow})`)}
ON DUPLICATE KEY UPDATE contact_key = VALUES(contact_key), flow = VALUES(flow), behind_nat = VALUES(behind_nat),
  owner_node = VALUES(owner_node), refreshed_at = VALUES(refreshed_at)`,
    batch.flatMap(({ sideId, contactKey, flow, isBehindNat, ownerNode }) => [
      sideId,
      contactKey,
      flow.key,
      isBehindNat ? 1 : 0,
      ownerNode,
    ]),
  );
}

/** Deletes the targets of ended dialogs, at most `limit`. Returns the number of deleted rows. */
export const reapDialogTargets = (session: Session, limit: number): Promise<number> =>
  session.write(
    "reap",
    `DELETE FROM strowger_dialog_target WHERE refreshed_at < ${databaseNow} - ${retention} LIMIT ${limit}`,
    [],
  );
