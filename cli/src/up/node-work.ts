/** Which node did what, as the nodes' own metrics tell. */
import { scrape, total, totalBy, type Samples } from "./metrics.ts";
import type { SipNode } from "./nodes.ts";

type Snapshot = ReadonlyMap<string, Samples>;

/** What every node counted so far, by its name; nothing for one that does not answer. */
export async function snapshot(nodes: readonly SipNode[]): Promise<Snapshot> {
  const all = nodes.map(
    async (node) => [node.name, (await scrape(`${node.httpUrl}/metrics`)) ?? []] as const,
  );
  return new Map(await Promise.all(all));
}

/** One line a node: how many requests of each method and responses of each code it counted in between. */
export function nodeWork(nodes: readonly SipNode[], before: Snapshot, after: Snapshot): string[] {
  const delta = (node: SipNode, metric: string, label: string) => {
    const [then, now] = [before, after].map((samples) =>
      totalBy(samples.get(node.name) ?? [], metric, label),
    );
    const risen = [...(now ?? [])].map(([key, value]) => [key, value - (then?.get(key) ?? 0)] as const);
    return risen.flatMap(([key, count]) => (count > 0 ? [`${key} +${count}`] : [])).join("  ");
  };
  return nodes.map(
    (node) =>
      `  ${node.name}   requests: ${delta(node, "strowger_sip_requests_total", "method") || "none"}   ` +
      `responses: ${delta(node, "strowger_sip_responses_total", "code") || "none"}`,
  );
}

/** The node whose count of this method rose while `action` ran; undefined where it was none or more than one. */
export async function whoTook(
  nodes: readonly SipNode[],
  method: string,
  action: () => Promise<void>,
): Promise<string | undefined> {
  const before = await snapshot(nodes);
  await action();
  const after = await snapshot(nodes);
  const counted = nodes.filter((node) => requests(after, node, method) > requests(before, node, method));
  return counted.length === 1 ? counted[0]?.name : undefined;
}

function requests(samples: Snapshot, node: SipNode, method: string): number {
  return total(samples.get(node.name) ?? [], "strowger_sip_requests_total", { method });
}
