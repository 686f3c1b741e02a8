/** Reads the served domain of a SipUser: from the owner row of its SipDomain, or from a row that the SipDomain observes. */
import { readDomains } from "../adapters/mysql/domain-rows.ts";
import type { Installation } from "../adapters/mysql/installation.ts";
import { readOwner } from "../adapters/mysql/owners.ts";
import { reasons, type OwnerFields } from "../ownership.ts";
import { isReadyObject } from "../runtime/is-ready-object.ts";
import type { CommonStatus, KubernetesObject } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import type { SipDomainSpec } from "../sources/types.ts";
import { choosesNamespace } from "../tenants.ts";

export interface ServedDomain {
  readonly domain: string;
  readonly realm: string;
}

/** The fields of a SipDomain's owner row that its users need. */
interface DomainIdentity extends OwnerFields {
  readonly domain: string;
  readonly realm: string;
}

/** Undefined: the domain is not served, or not yet. */
export async function readServedDomain(
  object: KubernetesObject,
  installation: Installation,
): Promise<ServedDomain | undefined> {
  if (isExcludedDomain(object)) return undefined;
  const { kind, metadata } = object;
  const reference = { kind, namespace: metadata.namespace, name: metadata.name };
  const owner = await readOwner<DomainIdentity>(installation, reference);
  const fields = owner?.fields ?? (await readObservedDomain(object, installation));
  if (fields === undefined) return undefined;
  const { domain, realm } = fields;
  return { domain, realm };
}

/** The SipCluster no longer allows the domain. Its rows exist, and are switched off. */
export const isExcludedDomain = ({ status }: KubernetesObject): boolean =>
  ((status ?? {}) as CommonStatus).conditions?.some(
    ({ type, reason }) => type === "Ready" && reason === reasons.notAllowed,
  ) ?? false;

/** Without an owner row, only the status proves that the SipCluster allows the domain and that no other object has it. */
async function readObservedDomain(
  object: KubernetesObject,
  { database }: Installation,
): Promise<ServedDomain | undefined> {
  const spec = object.spec as SipDomainSpec;
  if (spec.adoptionPolicy !== "Observe" || !isReadyObject(object)) return undefined;
  const domain = spec.domain.toLowerCase();
  const [found] = await readDomains(database, [domain]);
  return found === undefined ? undefined : { domain, realm: spec.realm ?? domain };
}

/** Whether a SipDomain allows users of that namespace. Its own namespace is always allowed. */
export async function allowsUsersOf(
  { metadata, spec }: KubernetesObject,
  namespace: string,
  source: Source,
): Promise<boolean> {
  if (metadata.namespace === namespace) return true;
  const { allowedNamespaces } = spec as SipDomainSpec;
  if (allowedNamespaces === undefined) return false;
  const labels =
    allowedNamespaces.selector === undefined ? undefined : await source.namespaceLabels(namespace);
  return choosesNamespace(allowedNamespaces, namespace, labels);
}
