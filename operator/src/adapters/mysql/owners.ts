/** The owners of rows and names: `strowger_owner` and `strowger_claim`. */
import type { Claim, ClaimKind, ObjectReference, Owner, OwnerFields } from "../../ownership.ts";
import { keyOf, type ObjectKey } from "../../runtime/object.ts";
import type { Statements } from "./database.ts";
import type { WriteTransaction, Installation } from "./installation.ts";
import type { Insertion } from "./pending-inserts.ts";
import { padded, placeholdersFor } from "./placeholders.ts";

type OwnerRow = Pick<Owner, "uid" | "generation" | "deletionPolicy"> & {
  readonly name: string;
  readonly fields: string;
};

export async function readOwner<Fields extends OwnerFields>(
  installation: Installation,
  reference: ObjectReference,
): Promise<Owner<Fields> | undefined> {
  const [owner] = await readOwners<Fields>(installation, [reference]);
  return owner;
}

/** The owners among these objects of one kind, in any order. One statement for each namespace. */
export async function readOwners<Fields extends OwnerFields>(
  { database, id }: Installation,
  references: readonly ObjectReference[],
): Promise<readonly Owner<Fields>[]> {
  const owners: Owner<Fields>[] = [];
  for (const [namespace, all] of Map.groupBy(references, (reference) => reference.namespace)) {
    const kind = all[0]?.kind ?? "";
    const names = all.map(({ name }) => name);
    const rows = await database.rows<OwnerRow>(
      `SELECT name, uid, generation, deletion_policy AS deletionPolicy, fields FROM strowger_owner
        WHERE installation_id = ? AND kind = ? AND namespace = ? AND name IN (${placeholdersFor(names)})`,
      [id, kind, namespace, ...padded(names)],
    );
    for (const { name, fields, ...row } of rows)
      owners.push({ ...row, reference: { kind, namespace, name }, fields: JSON.parse(fields) as Fields });
  }
  return owners;
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

const ownerInsertion: Insertion = {
  into: "INSERT INTO strowger_owner (installation_id, kind, namespace, name, uid, generation, deletion_policy, fields, change_seq)",
  orUpdate: `ON DUPLICATE KEY UPDATE uid = VALUES(uid), generation = VALUES(generation), deletion_policy = VALUES(deletion_policy),
       fields = VALUES(fields), change_seq = VALUES(change_seq)`,
};

export function saveOwner(change: WriteTransaction, { reference, ...owner }: Owner): Promise<void> {
  return change.insert(ownerInsertion, [
    change.installationId,
    reference.kind,
    reference.namespace,
    reference.name,
    owner.uid,
    owner.generation,
    owner.deletionPolicy,
    JSON.stringify(owner.fields),
    change.changeSeq,
  ]);
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
       FROM strowger_claim WHERE kind = ? AND name IN (${placeholdersFor(names)})`,
    [kind, ...padded(names)],
  );
  return rows.map(({ claimed, installationId, ...owner }) => ({
    kind,
    name: claimed,
    installationId,
    owner,
  }));
}

const claimInsertion: Insertion = {
  into: "INSERT INTO strowger_claim (kind, name, installation_id, owner_kind, owner_namespace, owner_name)",
};

/** The transaction throws `DuplicateKey` if another object has claimed the name meanwhile. */
export function insertClaim(
  change: WriteTransaction,
  kind: ClaimKind,
  name: string,
  owner: ObjectReference,
): Promise<void> {
  return change.insert(claimInsertion, [
    kind,
    name,
    change.installationId,
    owner.kind,
    owner.namespace,
    owner.name,
  ]);
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
