/** Whether nodes answer SIP, and whether anything from outside reaches them (design: operator, rule 12). Pure. */
import type { NodeRow } from "../adapters/mysql/node-rows.ts";
import type { ProbeReport } from "../adapters/probe/probe.ts";
import type { Ms } from "../runtime/clock.ts";
import type { NewCondition } from "../runtime/condition.ts";
import type { Reason } from "../runtime/reason.ts";

const reachedWithin: Ms = 300_000;

/** Undefined: nobody was asked. kube-proxy short-circuits what comes from inside, so this proves the nodes and not the way to them. */
export function buildAnsweringCondition(
  report: ProbeReport | undefined,
  hasReadyNodes: boolean,
): NewCondition | undefined {
  if (report === undefined) return undefined;
  if (!hasReadyNodes) return says("Answering", "False", "NoReadyNode", "no node is ready to answer");
  const silent = report.answers.filter(({ status }) => status === undefined).map(({ name }) => name);
  if (silent.length === 0)
    return says("Answering", "True", "Answered", "the Service and every ready node answered OPTIONS");
  return says(
    "Answering",
    "False",
    "NoAnswer",
    `no answer to OPTIONS from ${silent.join(", ")}; check the nodes' logs, and that NetworkPolicies let UDP from the operator to the nodes' SIP port`,
  );
}

/** `isWatched`: the ranges of pods and hosts are known, so that nodes can tell who is outside. */
export function buildReachableCondition(nodes: readonly NodeRow[], isWatched: boolean): NewCondition {
  if (!isWatched)
    return says(
      "Reachable",
      "Unknown",
      "RangesUnknown",
      "who is outside is not known: say the ranges of pods and hosts in the chart's clusterRanges, or let the operator read Nodes",
    );
  const isReached = nodes.some(({ sinceOutside = Infinity }) => sinceOutside <= reachedWithin);
  if (isReached)
    return says(
      "Reachable",
      "True",
      "SeenFromOutside",
      "datagrams from outside the Kubernetes cluster reach the nodes",
    );
  return says(
    "Reachable",
    "Unknown",
    "NothingFromOutside",
    "no datagram from outside came within 5 minutes; if phones should be calling, check the load balancer (UDP, the Service's port), firewalls, and that the advertised address leads to it",
  );
}

const says = (
  type: string,
  status: NewCondition["status"],
  reason: Reason,
  message: string,
): NewCondition => ({
  type,
  status,
  reason,
  message,
});
