/** Reads the condition Ready in the status of an object. Pure. */
import type { Condition } from "./condition.ts";
import type { CommonStatus, KubernetesObject } from "./object.ts";

/** Undefined: the status has no condition Ready yet. */
export const findReadyCondition = (object: KubernetesObject | undefined): Condition | undefined =>
  ((object?.status ?? {}) as CommonStatus).conditions?.find(({ type }) => type === "Ready");

export const isReadyObject = (object: KubernetesObject | undefined): boolean =>
  findReadyCondition(object)?.status === "True";
