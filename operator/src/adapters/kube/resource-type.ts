/** The types of objects that the operator asks the API server for, and the paths at which they are served. */
import { ownValue } from "../../runtime/own-value.ts";

export interface ResourceType {
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** As it stands in paths. */
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

const ours = "sip.strowger.dev/v1alpha1";

export const resourceTypes = {
  SipCluster: namespaced(ours, "SipCluster", "sipclusters"),
  SipDomain: namespaced(ours, "SipDomain", "sipdomains"),
  SipUser: namespaced(ours, "SipUser", "sipusers"),
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

/** Throws where it is none of `resourceTypes`. */
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
    `${apiVersion} ${kind} is no type that the operator knows; expected ${Object.keys(types).join(", ")}`,
  );
}

/** One object, or with `name` absent every object of the namespace; without `namespace` those of all namespaces. */
export interface Place {
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** The path of what is at that place. Throws where a namespace is missing or too many. */
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

/** `SipUser tel/alice`, for people. */
export function describePlace({ kind }: ResourceType, { namespace, name, subresource }: Place): string {
  const where = [namespace, name].filter((part) => part !== undefined && part !== "").join("/");
  const what = where === "" ? "all" : name === undefined ? `all in ${where}` : where;
  return `${kind} ${what}${subresource === undefined ? "" : ` (${subresource})`}`;
}
