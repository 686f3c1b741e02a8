/** Builds the configuration that every node mounts, and the hash of the settings that need a restart. */
import { createHash } from "node:crypto";
import type { Manifest } from "../../runtime/manifests.ts";
import type { HostPort, ServedCluster } from "../resource.ts";
import { namesOf } from "./names.ts";
import { owned } from "./owned.ts";
import { mounts, ports } from "./ports.ts";

export interface Addressing {
  readonly advertised: HostPort;
  /** Addresses that nodes accept as their own too: former ones, and other addresses of the Service. */
  readonly others: readonly string[];
  /** Pods have IPv6 addresses first. */
  readonly isIPv6: boolean;
  /** CIDRs of pods and nodes. */
  readonly insideRanges: readonly string[];
}

/** Former addresses for the next decision, each with the end of its acceptance (milliseconds since 1970). */
export const formerAnnotation = "sip.strowger.dev/former";

export function buildConfiguration(
  cluster: ServedCluster,
  addressing: Addressing,
  former: Readonly<Record<string, number>>,
): Manifest & { readonly data: { readonly "config.json": string } } {
  const annotations = Object.keys(former).length === 0 ? {} : { [formerAnnotation]: JSON.stringify(former) };
  return {
    ...owned(cluster, { apiVersion: "v1", kind: "ConfigMap" }, namesOf(cluster).nodes, annotations),
    data: { "config.json": `${JSON.stringify(nodeConfiguration(cluster, addressing), undefined, 2)}\n` },
  };
}

/** The hash of the settings that a node reads only at its start. Another hash replaces the pods. */
export function restartHash(cluster: ServedCluster, addressing: Addressing): string {
  const { sip, cluster: peers, http, control, mysql } = nodeConfiguration(cluster, addressing);
  const fixed = { listen: sip.listen, direct: sip.direct, cluster: peers, http, control, mysql };
  return createHash("sha256").update(JSON.stringify(fixed)).digest("hex").slice(0, 16);
}

/** The hash of the mounted bytes. A node reports the hash of the bytes that it uses in `strowger_node`. */
export const configurationHash = (configuration: string, keys: string): string =>
  createHash("sha256").update(`${configuration}\n${keys}`).digest("hex");

export const hostPortText = ({ host, port }: HostPort): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

function nodeConfiguration(cluster: ServedCluster, { advertised, others, isIPv6, insideRanges }: Addressing) {
  const all = (port: number): string => hostPortText({ host: isIPv6 ? "::" : "0.0.0.0", port });
  const { mysql } = cluster;
  return {
    // The pod's own name and address come from its environment.
    name: "node",
    sip: {
      listen: all(ports.sip),
      direct: all(ports.direct),
      advertise: hostPortText(advertised),
      former: others,
    },
    cluster: { listen: all(ports.cluster), advertise: all(ports.cluster) },
    http: { listen: all(ports.metrics) },
    control: { listen: `127.0.0.1:${ports.control}` },
    mysql: {
      hosts: mysql.hosts.map(hostPortText),
      database: mysql.database,
      credentialsDirectory: mounts.mysql,
      ...(mysql.tls === undefined
        ? {}
        : { tls: mysql.tls.ca === undefined ? {} : { ca: `${mounts.mysqlCa}/ca.crt` } }),
    },
    peers: cluster.peers,
    drain: { timeoutSeconds: cluster.drainTimeout },
    outside: { ranges: insideRanges },
    log: { level: "info" },
  };
}
