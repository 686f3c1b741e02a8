/** Who owns which rows and names: `strowger_owner` and `strowger_claim`. */
import type { Statements } from "./database.ts";
import type { Change } from "./installation.ts";

export type DeletionPolicy = "Delete" | "Retain";

/** An object of ours. `namespace` and `name` are the object's, `kind` its kind. */
export interface ObjectReference {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface Owner<Fields> extends ObjectReference {
  readonly uid: string;
  readonly generation: number;
  readonly deletionPolicy: DeletionPolicy;
  /** What deletion and immutability need to know once the object is gone or changed. */
  readonly fields: Fields;
}

/** A name that is one object's alone: `domain` names domains and their aliases, `user` names user@domain and its aliases. */
export interface Claim {
  readonly kind: "domain" | "user";
  readonly name: string;
}

export interface ClaimRow extends Claim {
  readonly installationId: string;
  readonly owner: ObjectReference;
}

export async function readOwner<Fields>(
  database: Statements,
  installationId: string,
  { kind, namespace, name }: ObjectReference,
): Promise<Owner<Fields> | undefined> {
  const [row] = await database.rows<{ uid: string; generation: number; deletionPolicy: DeletionPolicy; fields: string }>(
    `SELECT uid, generation, deletion_policy AS deletionPolicy, fields FROM strowger_owner
      WHERE installation_id = ? AND kind = ? AND namespace = ? AND name = ?`,
    [installationId, kind, namespace, name],
  );
  return row === undefined ? undefined : { kind, namespace, name, ...row, fields: JSON.parse(row.fields) as Fields };
}

/** All objects of a kind that own something. */
export const listOwners = (
  database: Statements,
  installationId: string,
  kind: string,
): Promise<readonly { readonly namespace: string; readonly name: string }[]> =>
  database.rows("SELECT namespace, name FROM strowger_owner WHERE installation_id = ? AND kind = ?", [installationId, kind]);

export async function saveOwner(change: Change, installationId: string, owner: Owner<unknown>): Promise<void> {
  await change.run(
    `INSERT INTO strowger_owner (installation_id, kind, namespace, name, uid, generation, deletion_policy, fields, change_seq)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE uid = VALUES(uid), generation = VALUES(generation), deletion_policy = VALUES(deletion_policy),
       fields = VALUES(fields), change_seq = VALUES(change_seq)`,
    [
      installationId,
      owner.kind,
      owner.namespace,
      owner.name,
      owner.uid,
      owner.generation,
      owner.deletionPolicy,
      JSON.stringify(owner.fields),
      change.changeSeq,
    ],
  );
}

/** Removes the owner and all its claims. */
export async function removeOwner(change: Change, installationId: string, { kind, namespace, name }: ObjectReference): Promise<void> {
  const values = [installationId, kind, namespace, name];
  await change.run(
    "DELETE FROM strowger_claim WHERE installation_id = ? AND owner_kind = ? AND owner_namespace = ? AND owner_name = ?",
    values,
  );
  await change.run("DELETE FROM strowger_owner WHERE installation_id = ? AND kind = ? AND namespace = ? AND name = ?", values);
}

/** Who holds these names; names that nobody holds are left out. */
export async function readClaims(database: Statements, kind: Claim["kind"], names: readonly string[]): Promise<readonly ClaimRow[]> {
  const rows = await database.rows<ObjectReference & { claimed: string; installationId: string }>(
    `SELECT name AS claimed, installation_id AS installationId, owner_kind AS kind, owner_namespace AS namespace, owner_name AS name
       FROM strowger_claim WHERE kind = ? AND name IN (${names.map(() => "?").join(", ")})`,
    [kind, ...names],
  );
  return rows.map((row) => ({
    kind,
    name: row.claimed,
    installationId: row.installationId,
    owner: { kind: row.kind, namespace: row.namespace, name: row.name },
  }));
}

/** Fails with `DuplicateKey` when somebody else was faster. */
export async function insertClaim(change: Change, installationId: string, claim: Claim, owner: ObjectReference): Promise<void> {
  await change.run(
    `INSERT INTO strowger_claim (kind, name, installation_id, owner_kind, owner_namespace, owner_name) VALUES (?, ?, ?, ?, ?, ?)`,
    [claim.kind, claim.name, installationId, owner.kind, owner.namespace, owner.name],
  );
}

export async function deleteClaim(change: Change, claim: Claim): Promise<void> {
  await change.run("DELETE FROM strowger_claim WHERE kind = ? AND name = ?", [claim.kind, claim.name]);
}
