/** What the nodes' rows and pods say together. Pure. */
import type { NodeRow } from "../adapters/mysql/node-rows.ts";
import type { Pod } from "./current-state.ts";

/** As the nodes themselves see it: three seconds without a beat, and a node is dead. */
const deadAfter = 3_000;

/** The row of each pod's present process; rows of processes that were killed before are left out. */
export function liveNodes(nodes: readonly NodeRow[]): readonly NodeRow[] {
  return nodes.filter(
    (node, at) =>
      node.sinceBeat < deadAfter &&
      (node.name === "" || nodes.findIndex(({ name }) => name === node.name) === at),
  );
}

/**
 * Whether everybody who may still send or receive goes by this configuration. A row counts for a minute after its last beat, because a
 * node that cannot reach MySQL is alive; so does a pod that is ready and has no row.
 */
export function haveAllApplied(nodes: readonly NodeRow[], pods: readonly Pod[], hash: string): boolean {
  const latest = nodes.filter(
    ({ name }, at) => name === "" || nodes.findIndex((other) => other.name === name) === at,
  );
  const strangers = pods.filter(({ name, isReady }) => isReady && !latest.some((node) => node.name === name));
  return strangers.length === 0 && latest.every(({ configurationHash }) => configurationHash === hash);
}

/** Nodes that state another configuration than this one. */
export const outdatedNodes = (nodes: readonly NodeRow[], hash: string): readonly NodeRow[] =>
  liveNodes(nodes).filter(({ configurationHash }) => configurationHash !== "" && configurationHash !== hash);

/** What losing a pod costs: its open transactions; less than nothing where it serves nobody or is leaving anyway. */
export function deletionCost(pod: Pod, nodes: readonly NodeRow[]): number {
  const node = liveNodes(nodes).find(({ name }) => name === pod.name);
  if (node === undefined || node.isDraining || !pod.isReady) return -1;
  return Math.min(node.load, 2 ** 31 - 1);
}
