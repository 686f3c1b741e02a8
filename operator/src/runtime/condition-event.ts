/** Builds the Event for a condition whose status or reason changed. Pure. */
import type { Condition, NewCondition } from "./condition.ts";
import type { Event } from "./source.ts";

/** Conditions that report a problem with the status True. */
const problemTypes = new Set(["TrafficOnOneNode", "Paused"]);

/** Reasons that follow from a problem of another object. That object has the Event, instead of each object that waits for it. */
const waitingReasons = new Set(["DomainNotReady", "ClusterNotReady", "DatabaseUnavailable", "Stale"]);

/** Undefined: no Event. A good condition gives an Event only after a bad one. */
export function buildConditionEvent(
  kind: string,
  condition: NewCondition,
  before: Condition | undefined,
): Event | undefined {
  const { type, reason, message } = condition;
  const isNowGood = isGood(condition);
  if (isNowGood && (before === undefined || isGood(before))) return undefined;
  if (
    kind !== "SipCluster" &&
    (waitingReasons.has(reason) || (isNowGood && waitingReasons.has(before?.reason ?? "")))
  )
    return undefined;
  const isBad = !isNowGood && condition.status !== "Unknown";
  return {
    type: isBad ? "Warning" : "Normal",
    reason,
    message: type === "Ready" ? message : `${type}: ${message}`,
  };
}

const isGood = ({ type, status }: Pick<NewCondition, "type" | "status">): boolean =>
  problemTypes.has(type) ? status === "False" : status === "True";
