/** Plans the address that phones use, and the earlier addresses that nodes still accept as their own (design-sip rule 1). Pure. */
import type { NewCondition } from "../runtime/condition.ts";
import type { Ms } from "../runtime/clock.ts";
import type { Manifest } from "../runtime/manifests.ts";
import { type Addressing, formerAnnotation, hostPortText } from "./manifests/build-configuration.ts";
import { namesOf } from "./manifests/names.ts";
import { ports } from "./manifests/ports.ts";
import type { HostPort, SipCluster } from "./resource.ts";

/** A former address is accepted for this time. A longer dialog that began with it is lost. */
export const longestDialog: Ms = 24 * 3_600_000;

export interface AddressPlan {
  /** Undefined: there is no address, and there was none before. */
  readonly addressing: Addressing | undefined;
  /** Addresses that were advertised before, each with the end of its acceptance: milliseconds since 1970. */
  readonly former: Readonly<Record<string, number>>;
  readonly condition: NewCondition;
}

/** `service` and `configuration`: the objects in Kubernetes. */
export function planAddresses(
  cluster: SipCluster,
  service: Manifest | undefined,
  configuration: Manifest | undefined,
  insideRanges: readonly string[],
  now: number,
): AddressPlan {
  const { clusterIP, ipFamilies, ingress, port } = readService(service);
  const before = readConfiguration(configuration);
  const given = ingress.map((host) => hostPortText({ host, port }));
  // A load balancer with several addresses may list them in another order each time.
  const found = cluster.advertised ?? parse(given.find((text) => text === before.advertised) ?? given[0]);
  const advertised = found ?? parse(before.advertised);
  const former = formerAddresses(before, advertised, now);
  if (advertised === undefined)
    return { addressing: undefined, former, condition: buildPendingCondition(cluster, clusterIP, false) };
  const main = hostPortText(advertised);
  const inside = clusterIP === undefined ? [] : [hostPortText({ host: clusterIP, port })];
  const others = [...new Set([...given, ...inside, ...Object.keys(former)])].filter((text) => text !== main);
  return {
    addressing: { advertised, others: others.sort(), isIPv6: ipFamilies[0] === "IPv6", insideRanges },
    former,
    condition:
      found === undefined
        ? buildPendingCondition(cluster, clusterIP, true)
        : {
            type: "AddressReady",
            status: "True",
            reason: "AddressKnown",
            message: `phones reach the exchange at ${main} over UDP`,
          },
  };
}

function buildPendingCondition(
  cluster: SipCluster,
  clusterIP: string | undefined,
  hadOne: boolean,
): NewCondition {
  const { service } = namesOf(cluster);
  const { type } = cluster.service;
  const hints = {
    LoadBalancer: `Service ${service} has no address yet; check that this Kubernetes cluster has a load balancer that serves UDP (kubectl describe service ${service}), or set spec.advertise.udp`,
    NodePort: `the operator cannot know where phones reach a Service of type NodePort; set spec.advertise.udp to the address of your hosts or of the load balancer before them, and to a port from 30000 to 32767 to fix the node port`,
    ClusterIP: `the operator cannot know where phones reach a Service of type ClusterIP; set spec.advertise.udp, for phones inside this Kubernetes cluster to ${clusterIP ?? "the address of the Service"} and port ${ports.sip}`,
  };
  return {
    type: "AddressReady",
    status: "False",
    reason: type === "LoadBalancer" ? "AddressPending" : "AddressRequired",
    message: `${hints[type]}${hadOne ? "; the nodes keep their last address" : ""}`,
  };
}

interface Before {
  readonly advertised: string | undefined;
  readonly former: Readonly<Record<string, number>>;
}

/** Former addresses that are still accepted, and the last advertised address if it changed. */
function formerAddresses(
  { advertised, former }: Before,
  current: HostPort | undefined,
  now: number,
): Readonly<Record<string, number>> {
  const text = current && hostPortText(current);
  const remaining = Object.entries(former).filter(([address, until]) => until > now && address !== text);
  if (advertised !== undefined && advertised !== text) remaining.push([advertised, now + longestDialog]);
  return Object.fromEntries(remaining.sort(([a], [b]) => (a < b ? -1 : 1)));
}

interface ServiceFacts {
  readonly clusterIP: string | undefined;
  readonly ipFamilies: readonly string[];
  readonly ingress: readonly string[];
  readonly port: number;
}

function readService(service: Manifest | undefined): ServiceFacts {
  const { spec, status } = (service ?? {}) as {
    readonly spec?: {
      readonly clusterIP?: string;
      readonly ipFamilies?: readonly string[];
      readonly ports?: readonly { readonly port: number }[];
    };
    readonly status?: {
      readonly loadBalancer?: {
        readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[];
      };
    };
  };
  const { clusterIP, ipFamilies = [], ports: served = [] } = spec ?? {};
  return {
    clusterIP: clusterIP === "" || clusterIP === "None" ? undefined : clusterIP,
    ipFamilies,
    port: served[0]?.port ?? ports.sip,
    ingress: (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip || hostname || []),
  };
}

/** A configuration that cannot be parsed counts as absent. */
function readConfiguration(configuration: Manifest | undefined): Before {
  const { data } = (configuration ?? {}) as { readonly data?: Readonly<Record<string, string>> };
  const { sip } = parseJson<{ readonly sip?: { readonly advertise?: string } }>(data?.["config.json"]) ?? {};
  const annotation = configuration?.metadata.annotations?.[formerAnnotation];
  return { advertised: sip?.advertise, former: parseJson<Record<string, number>>(annotation) ?? {} };
}

function parseJson<Value>(text: string | undefined): Value | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" && value !== null ? (value as Value) : undefined;
  } catch {
    return undefined;
  }
}

function parse(text: string | undefined): HostPort | undefined {
  const found = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(text ?? "");
  const host = found?.[1] ?? found?.[2];
  return host === undefined ? undefined : { host, port: Number(found?.[3]) };
}
