/** The conditions Answering (nodes answer SIP) and Reachable (traffic from outside arrives) (design-kubernetes rule 12). Pure. */
import type { NodeRow } from "../adapters/mysql/node-rows.ts";
import type { NewCondition } from "../runtime/condition.ts";
import type { Ms } from "../runtime/clock.ts";
import type { DatabaseReading, FleetState } from "./current-state.ts";

/** A datagram from outside counts for this time. */
const reachedWithin: Ms = 300_000;

export const notProbedYet = {
  type: "Answering",
  status: "Unknown",
  reason: "NotAskedYet",
  message: "no node was probed yet; only nodes with an IPv4 address are probed",
} as const;

/**
 * Undefined: no probe yet. kube-proxy short-circuits traffic from inside the cluster. So an answer proves that the nodes work, and nothing
 * about the path from outside.
 */
export function buildAnsweringCondition({
  probe,
  pods,
}: Pick<FleetState, "probe" | "pods">): NewCondition | undefined {
  if (probe === undefined) return undefined;
  const type = "Answering";
  if (!pods.some(({ isReady, isTerminating }) => isReady && !isTerminating))
    return { type, status: "False", reason: "NoReadyNode", message: "no node is ready to answer" };
  const silent = probe.answers.filter(({ status }) => status === undefined).map(({ name }) => name);
  if (silent.length === 0)
    return {
      type,
      status: "True",
      reason: "Answered",
      message: "the Service and every ready node answered OPTIONS",
    };
  return {
    type,
    status: "False",
    reason: "NoAnswer",
    message: `no answer to OPTIONS from ${silent.join(", ")}; check the nodes' logs, and that NetworkPolicies let UDP from the operator to the nodes' SIP port`,
  };
}

/** Nodes recognise traffic from outside only where the ranges of pods and hosts are known. */
export function buildReachableCondition(
  database: DatabaseReading,
  { insideRanges }: Pick<FleetState, "insideRanges">,
): NewCondition {
  const type = "Reachable";
  if (insideRanges.length === 0)
    return {
      type,
      status: "Unknown",
      reason: "RangesUnknown",
      message:
        "the operator cannot tell which addresses are outside: set the ranges of pods and hosts in the chart's clusterRanges, or let the operator read Nodes",
    };
  const nodes: readonly NodeRow[] = database.kind === "open" ? database.nodes : [];
  if (nodes.some(({ sinceOutside = Infinity }) => sinceOutside <= reachedWithin))
    return {
      type,
      status: "True",
      reason: "SeenFromOutside",
      message: "datagrams from outside the Kubernetes cluster reach the nodes",
    };
  return {
    type,
    status: "Unknown",
    reason: "NothingFromOutside",
    message:
      "no datagram from outside came within 5 minutes; if phones should be calling, check the load balancer (UDP, the Service's port), firewalls, and that the advertised address leads to it",
  };
}
