/** Whether an object says of itself that it is ready. Pure. */
import type { CommonStatus, KubernetesObject } from "./object.ts";

export const isReadyObject = (object: KubernetesObject | undefined): boolean =>
  ((object?.status ?? {}) as CommonStatus).conditions?.some(
    ({ type, status }) => type === "Ready" && status === "True",
  ) ?? false;
