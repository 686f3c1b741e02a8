/** Builds the Secret with the key ring. It is created once, and watched by its label. */
import type { Manifest } from "../../runtime/manifests.ts";
import { rotationAnnotation } from "../plan-keys.ts";
import type { SipCluster } from "../resource.ts";
import { namesOf } from "./names.ts";
import { owned } from "./owned.ts";

/** `before`: the Secret that is changed. If it was changed meanwhile, the write fails. */
export function buildKeys(
  cluster: SipCluster,
  ring: string,
  rotation: string | undefined,
  before?: Manifest,
): Manifest {
  const annotations = rotation === undefined ? {} : { [rotationAnnotation]: rotation };
  const { metadata, ...type } = owned(
    cluster,
    { apiVersion: "v1", kind: "Secret" },
    namesOf(cluster).keys,
    annotations,
  );
  const resourceVersion = before?.metadata.resourceVersion;
  return {
    ...type,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, "sip.strowger.dev/watch": "true" },
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    type: "Opaque",
    data: { "keys.json": Buffer.from(ring).toString("base64") },
  };
}
