/** Whether a SipCluster allows domains of a namespace (`allowedDomains`). */
import type { KubernetesObject } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import type { SipClusterSpec } from "../sources/types.ts";
import { allowsDomains } from "../tenants.ts";

/** Its own namespace is always allowed. */
export async function isAllowed(
  { metadata, spec }: KubernetesObject,
  namespace: string,
  names: readonly string[],
  source: Source,
): Promise<boolean> {
  if (metadata.namespace === namespace) return true;
  const { allowedDomains = [] } = spec as SipClusterSpec;
  const needsLabels = allowedDomains.some(({ namespaces }) => namespaces.selector !== undefined);
  const labels = needsLabels ? await source.namespaceLabels(namespace) : undefined;
  return allowsDomains(allowedDomains, namespace, labels, names);
}
