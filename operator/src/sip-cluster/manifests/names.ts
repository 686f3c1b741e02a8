/** What the objects of a SipCluster are called, and the labels by which they are known. The schema keeps its name short enough. */
import type { SipCluster } from "../resource.ts";

export interface Names {
  /** Deployment, disruption budget, network policy, configuration and service account. */
  readonly nodes: string;
  readonly keys: string;
  readonly metrics: string;
  /** Where phones call. */
  readonly service: string;
}

export function namesOf({ reference: { name }, service: { mode } }: SipCluster): Names {
  return {
    nodes: `${name}-nodes`,
    keys: `${name}-keys`,
    metrics: `${name}-metrics`,
    service: mode === "Mixed" ? name : `${name}-udp`,
  };
}

/** Never changes: a Deployment's selector is immutable. */
export const selectorLabels = (cluster: string): Readonly<Record<string, string>> => ({
  "app.kubernetes.io/component": "sip-node",
  "sip.strowger.dev/cluster": cluster,
});

/** On every object, and by them the operator's watches. */
export const labelsOf = (cluster: string): Readonly<Record<string, string>> => ({
  "app.kubernetes.io/name": "strowger",
  "app.kubernetes.io/instance": cluster,
  "app.kubernetes.io/part-of": "strowger",
  "app.kubernetes.io/managed-by": "strowger-operator",
  ...selectorLabels(cluster),
});

/** As the status states it, for the scale subresource. */
export const selectorText = (cluster: string): string =>
  Object.entries(selectorLabels(cluster))
    .map(([label, value]) => `${label}=${value}`)
    .join(",");
