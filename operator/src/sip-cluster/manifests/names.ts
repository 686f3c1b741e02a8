/** Names and labels of a SipCluster's objects. The schema limits the length of its name. */
import type { SipCluster } from "../resource.ts";

export interface Names {
  /** Deployment, disruption budget, network policy, configuration and service account. */
  readonly nodes: string;
  readonly keys: string;
  readonly metrics: string;
  /** For phones. */
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

/** On every object. The operator's watches select by these labels. */
export const labelsOf = (cluster: string): Readonly<Record<string, string>> => ({
  "app.kubernetes.io/name": "strowger",
  "app.kubernetes.io/instance": cluster,
  "app.kubernetes.io/part-of": "strowger",
  "app.kubernetes.io/managed-by": "strowger-operator",
  ...selectorLabels(cluster),
});

/** The selector in the status, for the scale subresource. */
export const selectorText = (cluster: string): string =>
  Object.entries(selectorLabels(cluster))
    .map(([label, value]) => `${label}=${value}`)
    .join(",");
