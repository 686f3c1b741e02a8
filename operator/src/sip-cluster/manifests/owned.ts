/** The metadata of every object of a SipCluster: name, labels, annotations and owner reference. */
import type { Manifest, ManifestType } from "../../runtime/manifests.ts";
import type { SipCluster } from "../resource.ts";
import { labelsOf } from "./names.ts";

export function owned(
  { reference, uid }: SipCluster,
  type: ManifestType,
  name: string,
  annotations?: Readonly<Record<string, string>>,
): Pick<Manifest, "apiVersion" | "kind" | "metadata"> {
  return {
    apiVersion: type.apiVersion,
    kind: type.kind,
    metadata: {
      namespace: reference.namespace,
      name,
      labels: labelsOf(reference.name),
      ...(annotations === undefined || Object.keys(annotations).length === 0 ? {} : { annotations }),
      ownerReferences: [
        {
          apiVersion: "sip.strowger.dev/v1alpha1",
          kind: reference.kind,
          name: reference.name,
          uid,
          controller: true,
          // To block the owner's deletion needs a right on its finalizers, and has no use here.
          blockOwnerDeletion: false,
        },
      ],
    },
  };
}
