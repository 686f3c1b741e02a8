/** Builds the ServiceAccount of the nodes. It has no token, because nodes never use the Kubernetes API. */
import type { Manifest } from "../../runtime/manifests.ts";
import type { SipCluster } from "../resource.ts";
import { namesOf } from "./names.ts";
import { owned } from "./owned.ts";

export const buildServiceAccount = (cluster: SipCluster): Manifest => ({
  ...owned(cluster, { apiVersion: "v1", kind: "ServiceAccount" }, namesOf(cluster).nodes),
  automountServiceAccountToken: false,
});
