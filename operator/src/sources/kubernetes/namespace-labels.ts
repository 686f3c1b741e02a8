/** LabelMap of namespaces, read by GET and cached for 10 s, because many objects need the same ones at the same time. */
import { isAbsence, isForbidden } from "../../adapters/kube/api-error.ts";
import type { KubeClient } from "../../adapters/kube/kube-client.ts";
import { resourceTypes } from "../../adapters/kube/resource-type.ts";
import type { Clock } from "../../runtime/clock.ts";

type LabelMap = Readonly<Record<string, string>>;

const cachedForMs = 10_000;

export class NamespaceLabels {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #cache = new Map<
    string,
    { readonly until: number; readonly labels: Promise<LabelMap | undefined> }
  >();

  constructor(client: KubeClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Undefined if the namespace does not exist or may not be read. Throws if the API server does not answer. */
  of(namespace: string): Promise<LabelMap | undefined> {
    const now = this.#clock.now();
    const cached = this.#cache.get(namespace);
    if (cached !== undefined && cached.until > now) return cached.labels;
    for (const [name, { until }] of this.#cache) if (until <= now) this.#cache.delete(name);
    const labels = this.#read(namespace);
    this.#cache.set(namespace, { until: now + cachedForMs, labels });
    labels.catch(() => this.#cache.delete(namespace));
    return labels;
  }

  async #read(name: string): Promise<LabelMap | undefined> {
    const type = resourceTypes.Namespace;
    try {
      const { metadata } = await this.#client.get<{ metadata: { labels?: LabelMap } }>(
        type,
        { name },
        { isMetadataOnly: true },
      );
      return metadata.labels ?? {};
    } catch (error) {
      if (isForbidden(error) || isAbsence(error, type, name)) return undefined;
      throw error;
    }
  }
}
