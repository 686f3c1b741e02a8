/** A SipCluster as the operator understands it. */
import type { ObjectReference } from "../ownership.ts";
import type { KubernetesObject } from "../runtime/object.ts";
import type { SipClusterSpec } from "../sources/types.ts";

export interface SipCluster {
  readonly reference: ObjectReference;
  readonly uid: string;
  readonly addresses: readonly { readonly transport: string; readonly host: string; readonly port: number }[];
}

export function parseSipCluster({ kind, metadata, spec }: KubernetesObject): SipCluster {
  const { advertise = {} } = spec as SipClusterSpec;
  return {
    reference: { kind, namespace: metadata.namespace, name: metadata.name },
    uid: metadata.uid,
    addresses: advertise.udp === undefined ? [] : [{ transport: "udp", ...advertise.udp }],
  };
}
