/** The types of objects that the operator reads and writes at the API server, and their paths. */
import { ownValue } from "../../runtime/own-value.ts";

export interface ResourceType {
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** For paths. */
  readonly plural: string;
  readonly isNamespaced: boolean;
}

const namespaced = (apiVersion: string, kind: string, plural: string): ResourceType => ({
  apiVersion,
  kind,
  plural,
  isNamespaced: true,
});

const clusterWide = (apiVersion: string, kind: string, plural: string): ResourceType => ({
  ...namespaced(apiVersion, kind, plural),
  isNamespaced: false,
});

const group = "sip.strowger.dev/v1alpha1";

export const resourceTypes = {
  SipCluster: namespaced(group, "SipCluster", "sipclusters"),
  SipDomain: namespaced(group, "SipDomain", "sipdomains"),
  SipUser: namespaced(group, "SipUser", "sipusers"),
  Secret: namespaced("v1", "Secret", "secrets"),
  ConfigMap: namespaced("v1", "ConfigMap", "configmaps"),
  Service: namespaced("v1", "Service", "services"),
  ServiceAccount: namespaced("v1", "ServiceAccount", "serviceaccounts"),
  Pod: namespaced("v1", "Pod", "pods"),
  Event: namespaced("v1", "Event", "events"),
  Namespace: clusterWide("v1", "Namespace", "namespaces"),
  Node: clusterWide("v1", "Node", "nodes"),
  Deployment: namespaced("apps/v1", "Deployment", "deployments"),
  PodDisruptionBudget: namespaced("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
  NetworkPolicy: namespaced("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
  EndpointSlice: namespaced("discovery.k8s.io/v1", "EndpointSlice", "endpointslices"),
  Lease: namespaced("coordination.k8s.io/v1", "Lease", "leases"),
} as const satisfies Readonly<Record<string, ResourceType>>;

/** Throws if it is not in `resourceTypes`. */
export function resourceTypeOf({
  apiVersion,
  kind,
}: {
  readonly apiVersion: string;
  readonly kind: string;
}): ResourceType {
  const types: Readonly<Record<string, ResourceType>> = resourceTypes;
  const type = ownValue(types, kind);
  if (type?.apiVersion === apiVersion) return type;
  throw new Error(
    `${apiVersion} ${kind} is unknown to the operator; expected ${Object.keys(types).join(", ")}`,
  );
}

/** One object. Without `name`: all objects of the namespace. Without `namespace`: of all namespaces. */
export interface Place {
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** The path of a place. Throws if a required namespace is missing, or if there is one for a cluster-wide type. */
export function pathOf(type: ResourceType, { namespace, name, subresource }: Place): string {
  const { apiVersion, kind, plural, isNamespaced } = type;
  if (isNamespaced && name !== undefined && (namespace ?? "") === "")
    throw new Error(`${kind} ${name}: the namespace is missing; expected namespace and name`);
  if (!isNamespaced && (namespace ?? "") !== "")
    throw new Error(`${kind} ${name ?? ""}: namespace ${namespace} was given; expected none`);
  const root = apiVersion.includes("/") ? "apis" : "api";
  const within = (namespace ?? "") === "" ? [] : ["namespaces", namespace];
  const segments = [root, ...apiVersion.split("/"), ...within, plural, name, subresource];
  return segments
    .filter((segment) => segment !== undefined)
    .map((segment) => `/${encodeURIComponent(segment)}`)
    .join("");
}

/** For messages: `SipUser tel/alice`. */
export function describePlace({ kind }: ResourceType, { namespace, name, subresource }: Place): string {
  const where = [namespace, name].filter((part) => part !== undefined && part !== "").join("/");
  const what = where === "" ? "all" : name === undefined ? `all in ${where}` : where;
  return `${kind} ${what}${subresource === undefined ? "" : ` (${subresource})`}`;
}
