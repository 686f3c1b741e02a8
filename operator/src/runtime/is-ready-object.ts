/** What an object says of itself in its condition Ready. Pure. */
import type { Condition } from "./condition.ts";
import type { CommonStatus, KubernetesObject } from "./object.ts";

/** Undefined: it has said nothing yet. */
export const findReadyCondition = (object: KubernetesObject | undefined): Condition | undefined =>
  ((object?.status ?? {}) as CommonStatus).conditions?.find(({ type }) => type === "Ready");

export const isReadyObject = (object: KubernetesObject | undefined): boolean =>
  findReadyCondition(object)?.status === "True";
