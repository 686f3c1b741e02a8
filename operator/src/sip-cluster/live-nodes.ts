/** Which nodes live, and which configuration they use, by the nodes' rows and the pods. Pure. */
import type { NodeRow } from "../adapters/mysql/node-rows.ts";
import type { DatabaseReading, Pod } from "./current-state.ts";

/** The nodes' own rule: a node without a heartbeat for three seconds is dead. */
const deadAfter = 3_000;

/** The row of each pod's present process, without the rows of processes that were killed before. */
export function liveNodes(nodes: readonly NodeRow[]): readonly NodeRow[] {
  return nodes.filter(
    (node, at) =>
      node.sinceHeartbeat < deadAfter &&
      (node.name === "" || nodes.findIndex(({ name }) => name === node.name) === at),
  );
}

/**
 * Whether every node that may still send or receive uses this configuration. A row counts for one minute after its last heartbeat, because a
 * node that cannot reach MySQL is alive. A ready pod without a row counts too.
 */
export function haveAllApplied(nodes: readonly NodeRow[], pods: readonly Pod[], hash: string): boolean {
  const latest = nodes.filter(
    ({ name }, at) => name === "" || nodes.findIndex((other) => other.name === name) === at,
  );
  const withoutRow = pods.filter(
    ({ name, isReady }) => isReady && !latest.some((node) => node.name === name),
  );
  return withoutRow.length === 0 && latest.every(({ configurationHash }) => configurationHash === hash);
}

/** Live nodes that report another configuration than this one. */
export const outdatedNodes = (nodes: readonly NodeRow[], hash: string): readonly NodeRow[] =>
  liveNodes(nodes).filter(({ configurationHash }) => configurationHash !== "" && configurationHash !== hash);

/** The cost of the pod's deletion: its open transactions. -1 for a pod that serves nobody or is draining. */
export function deletionCost(pod: Pod, nodes: readonly NodeRow[]): number {
  const node = liveNodes(nodes).find(({ name }) => name === pod.name);
  if (node === undefined || node.isDraining || !pod.isReady) return -1;
  return Math.min(node.load, 2 ** 31 - 1);
}

/** The name of the node with this id; the id itself where the name is unknown. */
export function nodeNameOf(database: DatabaseReading, id: string): string {
  const node = database.kind === "open" ? database.nodes.find((other) => other.id === id) : undefined;
  return node?.name || id;
}
