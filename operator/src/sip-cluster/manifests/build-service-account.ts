/** Nodes never talk to the Kubernetes API: their account has no token. */
import type { Manifest } from "../../runtime/manifests.ts";
import type { SipCluster } from "../resource.ts";
import { namesOf } from "./names.ts";
import { owned } from "./owned.ts";

export const buildServiceAccount = (cluster: SipCluster): Manifest => ({
  ...owned(cluster, { apiVersion: "v1", kind: "ServiceAccount" }, namesOf(cluster).nodes),
  automountServiceAccountToken: false,
});
