/** The owners of rows and names: `strowger_owner` and `strowger_claim`. */
import type { Claim, ClaimKind, ObjectReference, Owner, OwnerFields } from "../../ownership.ts";
import { keyOf, type ObjectKey } from "../../runtime/object.ts";
import type { Statements } from "./database.ts";
import type { WriteTransaction, Installation } from "./installation.ts";

type OwnerRow = Pick<Owner, "uid" | "generation" | "deletionPolicy"> & { readonly fields: string };

export async function readOwner<Fields extends OwnerFields>(
  { database, id }: Installation,
  reference: ObjectReference,
): Promise<Owner<Fields> | undefined> {
  const { kind, namespace, name } = reference;
  const [row] = await database.rows<OwnerRow>(
    `SELECT uid, generation, deletion_policy AS deletionPolicy, fields FROM strowger_owner
      WHERE installation_id = ? AND kind = ? AND namespace = ? AND name = ?`,
    [id, kind, namespace, name],
  );
  return row === undefined ? undefined : { ...row, reference, fields: JSON.parse(row.fields) as Fields };
}

/** The keys of all objects of a kind that own rows. */
export async function ownedKeys({ database, id }: Installation, kind: string): Promise<readonly ObjectKey[]> {
  const rows = await database.rows<ObjectReference>(
    "SELECT namespace, name FROM strowger_owner WHERE installation_id = ? AND kind = ?",
    [id, kind],
  );
  return rows.map(({ namespace, name }) => keyOf(namespace, name));
}

/** The immutable fields of every object that owns rows, as they were written, by `Kind namespace/name`. */
export async function readOwnedSpecs({ database, id }: Installation): Promise<ReadonlyMap<string, unknown>> {
  const rows = await database.rows<ObjectReference & { readonly fields: string }>(
    "SELECT kind, namespace, name, fields FROM strowger_owner WHERE installation_id = ?",
    [id],
  );
  return new Map(
    rows.map(({ kind, namespace, name, fields }) => [
      `${kind} ${keyOf(namespace, name)}`,
      (JSON.parse(fields) as OwnerFields).spec,
    ]),
  );
}

export async function saveOwner(change: WriteTransaction, { reference, ...owner }: Owner): Promise<void> {
  await change.run(
    `INSERT INTO strowger_owner (installation_id, kind, namespace, name, uid, generation, deletion_policy, fields, change_seq)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE uid = VALUES(uid), generation = VALUES(generation), deletion_policy = VALUES(deletion_policy),
       fields = VALUES(fields), change_seq = VALUES(change_seq)`,
    [
      change.installationId,
      reference.kind,
      reference.namespace,
      reference.name,
      owner.uid,
      owner.generation,
      owner.deletionPolicy,
      JSON.stringify(owner.fields),
      change.changeSeq,
    ],
  );
}

/** Removes the owner and all its claims. */
export async function removeOwner(
  change: WriteTransaction,
  { kind, namespace, name }: ObjectReference,
): Promise<void> {
  const values = [change.installationId, kind, namespace, name];
  await change.run(
    "DELETE FROM strowger_claim WHERE installation_id = ? AND owner_kind = ? AND owner_namespace = ? AND owner_name = ?",
    values,
  );
  await change.run(
    "DELETE FROM strowger_owner WHERE installation_id = ? AND kind = ? AND namespace = ? AND name = ?",
    values,
  );
}

/** The new owner replaces the old one and gets its names. */
export async function transferOwnership(
  change: WriteTransaction,
  from: ObjectReference,
  to: Owner,
): Promise<void> {
  const { namespace, name } = to.reference;
  await change.run(
    `UPDATE strowger_claim SET owner_namespace = ?, owner_name = ?
      WHERE installation_id = ? AND owner_kind = ? AND owner_namespace = ? AND owner_name = ?`,
    [namespace, name, change.installationId, from.kind, from.namespace, from.name],
  );
  await removeOwner(change, from);
  await saveOwner(change, to);
}

/** The claims on these names. A name without a claim is omitted. */
export async function readClaims(
  database: Statements,
  kind: ClaimKind,
  names: readonly string[],
): Promise<readonly Claim[]> {
  const rows = await database.rows<
    ObjectReference & { readonly claimed: string; readonly installationId: string }
  >(
    `SELECT name AS claimed, installation_id AS installationId, owner_kind AS kind, owner_namespace AS namespace, owner_name AS name
       FROM strowger_claim WHERE kind = ? AND name IN (${names.map(() => "?").join(", ")})`,
    [kind, ...names],
  );
  return rows.map(({ claimed, installationId, ...owner }) => ({
    kind,
    name: claimed,
    installationId,
    owner,
  }));
}

/** Throws `DuplicateKey` if another object has claimed the name meanwhile. */
export async function insertClaim(
  change: WriteTransaction,
  kind: ClaimKind,
  name: string,
  owner: ObjectReference,
): Promise<void> {
  await change.run(
    "INSERT INTO strowger_claim (kind, name, installation_id, owner_kind, owner_namespace, owner_name) VALUES (?, ?, ?, ?, ?, ?)",
    [kind, name, change.installationId, owner.kind, owner.namespace, owner.name],
  );
}

/** Deletes the claim of that object; the claim of another object stays. */
export async function deleteClaim(
  change: WriteTransaction,
  kind: ClaimKind,
  name: string,
  owner: ObjectReference,
): Promise<void> {
  await change.run(
    `DELETE FROM strowger_claim WHERE kind = ? AND name = ? AND installation_id = ?
        AND owner_kind = ? AND owner_namespace = ? AND owner_name = ?`,
    [kind, name, change.installationId, owner.kind, owner.namespace, owner.name],
  );
}
