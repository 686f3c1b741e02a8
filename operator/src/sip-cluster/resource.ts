/** A parsed SipCluster, with defaults resolved. */
import type { ObjectReference } from "../ownership.ts";
import type { KubernetesObject } from "../runtime/object.ts";
import type { SipClusterSpec } from "../sources/types.ts";
import { ownValue } from "../runtime/own-value.ts";

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export type ServiceType = "LoadBalancer" | "NodePort" | "ClusterIP";

export interface ServiceSettings {
  readonly mode: "Mixed" | "Separate";
  readonly type: ServiceType;
  readonly annotations: Readonly<Record<string, string>>;
  readonly loadBalancerClass: string | undefined;
  readonly loadBalancerIP: string | undefined;
}

export interface MysqlSettings {
  /** Names or addresses, each with the port. */
  readonly hosts: readonly HostPort[];
  readonly database: string;
  /** The Secret of the nodes: `username` and `password`. */
  readonly credentialsSecret: string;
  /** Absent: without TLS. */
  readonly tls: { readonly ca: { readonly secret: string; readonly key: string } | undefined } | undefined;
}

export type Resources = NonNullable<SipClusterSpec["resources"]>;

export interface SipCluster {
  readonly reference: ObjectReference;
  readonly uid: string;
  /** The text of the annotation that requests new keys. A text that was handled before requests nothing. */
  readonly rotation: string | undefined;
  /** The installation id of a database that this SipCluster takes over from its present owner. */
  readonly takeOver: string | undefined;
  readonly replicas: number;
  readonly image: string | undefined;
  readonly version: string | undefined;
  readonly advertised: HostPort | undefined;
  readonly service: ServiceSettings;
  readonly mysql: MysqlSettings | undefined;
  /** Seconds. */
  readonly drainTimeout: number;
  /** Addresses that are served without a challenge. */
  readonly peers: readonly string[];
  readonly resources: Resources;
  readonly template: NonNullable<SipClusterSpec["template"]>;
}

/** A SipCluster with a database in its spec. Without a database nodes cannot be configured. */
export type ServedCluster = SipCluster & { readonly mysql: MysqlSettings };

export const isServed = (cluster: SipCluster): cluster is ServedCluster => cluster.mysql !== undefined;

/** For one node. A busy node needs one core. Half of its memory is outside of JavaScript's heap. */
const defaultResources: Resources = {
  requests: { cpu: "250m", memory: "256Mi" },
  limits: { memory: "512Mi" },
};

export function parseSipCluster({ kind, metadata, spec: raw }: KubernetesObject): SipCluster {
  const spec = raw as SipClusterSpec;
  const annotation = (name: string): string | undefined =>
    ownValue(metadata.annotations, `sip.strowger.dev/${name}`) || undefined;
  return {
    reference: { kind, namespace: metadata.namespace, name: metadata.name },
    uid: metadata.uid,
    rotation: annotation("rotate-keys"),
    takeOver: annotation("take-over"),
    replicas: spec.replicas,
    image: spec.image,
    version: spec.version,
    advertised: spec.advertise?.udp,
    service: parseService(spec.service),
    mysql: spec.mysql && parseMysql(spec.mysql),
    drainTimeout: spec.drain.timeoutSeconds,
    peers: spec.peers ?? [],
    resources: spec.resources ?? defaultResources,
    template: spec.template ?? {},
  };
}

const parseService = ({ mode, type, annotations, ...rest }: SipClusterSpec["service"]): ServiceSettings => ({
  mode,
  type,
  annotations: annotations ?? {},
  loadBalancerClass: rest.loadBalancerClass,
  loadBalancerIP: rest.loadBalancerIP,
});

function parseMysql({
  hosts,
  port,
  database,
  credentialsSecretRef,
  tls,
}: NonNullable<SipClusterSpec["mysql"]>): MysqlSettings {
  const ca = tls?.caSecretRef;
  return {
    hosts: hosts.map((host) => ({ host, port })),
    database,
    credentialsSecret: credentialsSecretRef.name,
    tls: tls && { ca: ca && { secret: ca.name, key: ca.key } },
  };
}
