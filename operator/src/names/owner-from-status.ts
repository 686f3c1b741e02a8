/**
 * Restores the owner of rows whose owner row was lost: the tables of Strowger were emptied, or only the tables of OpenSIPS were restored from a
 * backup. The status of the object proves that it owned the rows. Pure.
 */
import {
  isHeldBy,
  type Claim,
  type DeletionPolicy,
  type ObjectReference,
  type Owner,
  type OwnerFields,
} from "../ownership.ts";
import type { KubernetesObject } from "../runtime/object.ts";

export interface OwningObject {
  readonly reference: ObjectReference;
  readonly uid: string;
  /** As in the spec; undefined: the spec does not set it. */
  readonly deletionPolicy: DeletionPolicy | undefined;
}

/** Rows that the status retains although the spec does not say so were adopted. */
export function ownerFromStatus<Fields extends OwnerFields>(
  { reference, uid, deletionPolicy: specPolicy }: OwningObject,
  { status }: KubernetesObject,
  fields: Fields,
): Owner<Fields> {
  const { deletionPolicy } = (status ?? {}) as { readonly deletionPolicy?: DeletionPolicy };
  const isRetained = deletionPolicy === "Retain";
  return {
    reference,
    uid,
    generation: 0,
    deletionPolicy: isRetained ? "Retain" : "Delete",
    fields: {
      ...fields,
      isFromStatus: true,
      ...(isRetained && specPolicy !== "Retain" ? { isAdopted: true } : {}),
    },
  };
}

/** Whether no other object has a claim of this name. The row of a name that another object claimed belongs to that object. */
export const hasNoOtherClaim = (
  name: string,
  claims: readonly Claim[],
  installationId: string,
  reference: ObjectReference,
): boolean => claims.every((claim) => claim.name !== name || isHeldBy(claim, installationId, reference));
