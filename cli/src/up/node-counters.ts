/** Which node handled which requests, from the nodes' metrics. */
import { scrape, total, totalBy, type Samples } from "./metrics.ts";
import type { SipNode } from "./nodes.ts";

type NodeCounters = ReadonlyMap<string, Samples>;

/** The samples of each node, by its name; empty for a node that does not answer. */
export async function readNodeCounters(nodes: readonly SipNode[]): Promise<NodeCounters> {
  const entries = nodes.map(
    async (node) => [node.name, (await scrape(`${node.httpUrl}/metrics`)) ?? []] as const,
  );
  return new Map(await Promise.all(entries));
}

/** One line for each node: its requests by method and its responses by code between two reads. */
export function describeNodeCounters(
  nodes: readonly SipNode[],
  before: NodeCounters,
  after: NodeCounters,
): string[] {
  const describeIncrease = (node: SipNode, metric: string, label: string) => {
    const [countsBefore, countsAfter] = [before, after].map((samples) =>
      totalBy(samples.get(node.name) ?? [], metric, label),
    );
    const increases = [...(countsAfter ?? [])].map(
      ([key, value]) => [key, value - (countsBefore?.get(key) ?? 0)] as const,
    );
    return increases.flatMap(([key, count]) => (count > 0 ? [`${key} +${count}`] : [])).join("  ");
  };
  return nodes.map(
    (node) =>
      `  ${node.name}   requests: ${describeIncrease(node, "strowger_sip_requests_total", "method") || "none"}   ` +
      `responses: ${describeIncrease(node, "strowger_sip_responses_total", "code") || "none"}`,
  );
}

/** The node whose counter of this method increased while `action` ran; undefined if none or more than one did. */
export async function findReceivingNode(
  nodes: readonly SipNode[],
  method: string,
  action: () => Promise<void>,
): Promise<string | undefined> {
  const before = await readNodeCounters(nodes);
  await action();
  const after = await readNodeCounters(nodes);
  const counted = nodes.filter(
    (node) => countRequests(after, node, method) > countRequests(before, node, method),
  );
  return counted.length === 1 ? counted[0]?.name : undefined;
}

function countRequests(samples: NodeCounters, node: SipNode, method: string): number {
  return total(samples.get(node.name) ?? [], "strowger_sip_requests_total", { method });
}
