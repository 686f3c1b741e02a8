/** What people are told as an Event when a condition flips. Pure. */
import type { Condition, NewCondition } from "./condition.ts";
import type { Event } from "./source.ts";

/** Conditions whose True is the bad news. */
const alarms = new Set(["TrafficOnOneNode", "Paused"]);

/** What is wrong elsewhere and told there, once, instead of at each object that waits for it. */
const waiting = new Set(["DomainNotReady", "ClusterNotReady", "DatabaseUnavailable", "Stale"]);

/** Undefined: nothing worth an Event. Good news are such only after bad ones. */
export function buildConditionEvent(
  kind: string,
  verdict: NewCondition,
  before: Condition | undefined,
): Event | undefined {
  const { type, reason, message } = verdict;
  const isGood = isGoodNews(verdict);
  if (isGood && (before === undefined || isGoodNews(before))) return undefined;
  if (kind !== "SipCluster" && (waiting.has(reason) || (isGood && waiting.has(before?.reason ?? ""))))
    return undefined;
  const isBad = !isGood && verdict.status !== "Unknown";
  return {
    type: isBad ? "Warning" : "Normal",
    reason,
    message: type === "Ready" ? message : `${type}: ${message}`,
  };
}

const isGoodNews = ({ type, status }: Pick<NewCondition, "type" | "status">): boolean =>
  alarms.has(type) ? status === "False" : status === "True";
