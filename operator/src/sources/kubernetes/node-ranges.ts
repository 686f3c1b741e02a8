/** The address ranges of nodes and pods, read from the Node objects and cached for a minute. */
import { isForbidden } from "../../adapters/kube/api-error.ts";
import type { KubeClient } from "../../adapters/kube/kube-client.ts";
import { resourceTypes } from "../../adapters/kube/resource-type.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Page } from "../../runtime/reflector.ts";

interface Node {
  readonly spec?: { readonly podCIDR?: string; readonly podCIDRs?: readonly string[] };
  readonly status?: { readonly addresses?: readonly { readonly type: string; readonly address: string }[] };
}

const cachedForMs = 60_000;
const pageSize = 500;

export class NodeRanges {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  #cache: { readonly until: number; readonly ranges: Promise<readonly string[]> } | undefined;

  constructor(client: KubeClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Empty if Nodes may not be read. Throws if the API server does not answer. */
  read(): Promise<readonly string[]> {
    const now = this.#clock.now();
    if (this.#cache !== undefined && this.#cache.until > now) return this.#cache.ranges;
    const ranges = this.#list();
    this.#cache = { until: now + cachedForMs, ranges };
    ranges.catch(() => (this.#cache = undefined));
    return ranges;
  }

  async #list(): Promise<readonly string[]> {
    try {
      const pages: (readonly Node[])[] = [];
      let page: Page<Node> | undefined;
      do {
        const from = page?.continue === undefined ? {} : { continue: page.continue };
        page = await this.#client.list<Node>(resourceTypes.Node, undefined, { limit: pageSize, ...from });
        pages.push(page.items);
      } while ((page.continue ?? "") !== "");
      return rangesOf(pages.flat());
    } catch (error) {
      if (isForbidden(error)) return [];
      throw error;
    }
  }
}

/** CIDRs, sorted, without duplicates. */
export function rangesOf(nodes: readonly Node[]): readonly string[] {
  const ranges = nodes.flatMap(({ spec, status }) => [
    ...(spec?.podCIDRs ?? (spec?.podCIDR === undefined ? [] : [spec.podCIDR])),
    ...(status?.addresses ?? [])
      .filter(({ type }) => type === "InternalIP" || type === "ExternalIP")
      .map(({ address }) => `${address}/${address.includes(":") ? 128 : 32}`),
  ]);
  return [...new Set(ranges)].sort();
}
