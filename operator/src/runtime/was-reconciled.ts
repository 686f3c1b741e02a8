/** Whether the status of an object says that its rows were made, or taken over, and are as its spec says. Pure. */
import type { CommonStatus, KubernetesObject } from "./object.ts";

/** An object that only observes is ready for another reason. */
export const wasReconciled = (object: KubernetesObject | undefined): boolean =>
  ((object?.status ?? {}) as CommonStatus).conditions?.some(
    ({ type, status, reason }) => type === "Ready" && status === "True" && reason === "Reconciled",
  ) ?? false;
