/** Whether the status proves that the object's rows were written or taken over. Pure. */
import type { CommonStatus, KubernetesObject } from "./object.ts";

/** An object that only observes has another reason. */
export const wasReconciled = (object: KubernetesObject | undefined): boolean =>
  ((object?.status ?? {}) as CommonStatus).conditions?.some(
    ({ type, status, reason }) => type === "Ready" && status === "True" && reason === "Reconciled",
  ) ?? false;
