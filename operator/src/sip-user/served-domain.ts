/** The domain of a SipUser as far as it is served: by the owner row of its SipDomain, or as somebody else's row that it observes. */
import { readDomains } from "../adapters/mysql/domain-rows.ts";
import type { Installation } from "../adapters/mysql/installation.ts";
import { readOwner } from "../adapters/mysql/owners.ts";
import { reasons, type OwnerFields } from "../ownership.ts";
import { isReadyObject } from "../runtime/is-ready-object.ts";
import type { CommonStatus, KubernetesObject } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import type { SipDomainSpec } from "../sources/types.ts";
import { choosesNamespace } from "../tenants.ts";
import type { SipUser } from "./resource.ts";

export interface ServedDomain {
  readonly domain: string;
  readonly realm: string;
  /** Whether the SipDomain takes users of this namespace. */
  readonly isAllowed: boolean;
}

/** What the owner row of a SipDomain tells its users. */
interface DomainFields extends OwnerFields {
  readonly domain: string;
  readonly realm: string;
}

/** Undefined where the domain is not served (yet). */
export async function readServedDomain(
  object: KubernetesObject,
  user: SipUser,
  installation: Installation,
  source: Source,
): Promise<ServedDomain | undefined> {
  if (isShutOut(object)) return undefined;
  const { kind, metadata } = object;
  const reference = { kind, namespace: metadata.namespace, name: metadata.name };
  const owner = await readOwner<DomainFields>(installation, reference);
  const fields = owner?.fields ?? (await observed(object, installation));
  if (fields === undefined) return undefined;
  const { domain, realm } = fields;
  return { domain, realm, isAllowed: await takesNamespace(object, user.reference.namespace, source) };
}

/** The cluster serves it no longer; its rows are still there, and off. */
export const isShutOut = ({ status }: KubernetesObject): boolean =>
  ((status ?? {}) as CommonStatus).conditions?.some(
    ({ type, reason }) => type === "Ready" && reason === reasons.notAllowed,
  ) ?? false;

/** Without an owner row only its status tells that the cluster serves it for this namespace, and that it is nobody else's. */
async function observed(
  object: KubernetesObject,
  { database }: Installation,
): Promise<{ readonly domain: string; readonly realm: string } | undefined> {
  const spec = object.spec as SipDomainSpec;
  if (spec.adoptionPolicy !== "Observe" || !isReadyObject(object)) return undefined;
  const domain = spec.domain.toLowerCase();
  const [found] = await readDomains(database, [domain]);
  return found === undefined ? undefined : { domain, realm: spec.realm ?? domain };
}

/** Whether a SipDomain takes users of that namespace. Its own always may. */
export async function takesNamespace(
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
