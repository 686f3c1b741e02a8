/** Labels of namespaces, read by GET and kept for some seconds: many objects ask for the same ones at the same time. */
import { isAbsence, isForbidden } from "../../adapters/kube/api-error.ts";
import type { KubeClient } from "../../adapters/kube/kube-client.ts";
import { resourceTypes } from "../../adapters/kube/resource-type.ts";
import type { Clock } from "../../runtime/clock.ts";

type Labels = Readonly<Record<string, string>>;

const keptFor = 10_000;

export class NamespaceLabels {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #kept = new Map<
    string,
    { readonly until: number; readonly labels: Promise<Labels | undefined> }
  >();

  constructor(client: KubeClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Undefined where there is no such namespace, or where it may not be read. Throws where the API server does not say. */
  of(namespace: string): Promise<Labels | undefined> {
    const now = this.#clock.now();
    const kept = this.#kept.get(namespace);
    if (kept !== undefined && kept.until > now) return kept.labels;
    for (const [name, { until }] of this.#kept) if (until <= now) this.#kept.delete(name);
    const labels = this.#read(namespace);
    this.#kept.set(namespace, { until: now + keptFor, labels });
    labels.catch(() => this.#kept.delete(namespace));
    return labels;
  }

  async #read(name: string): Promise<Labels | undefined> {
    const type = resourceTypes.Namespace;
    try {
      const { metadata } = await this.#client.get<{ metadata: { labels?: Labels } }>(
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
