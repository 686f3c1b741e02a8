/**
 * Chooses the image of the nodes. Without an image or version in the spec, nodes keep the image that they served with last, also after an
 * upgrade of the operator. An image that no node ever served with is not recorded. Pure.
 */
import type { Manifest } from "../runtime/manifests.ts";
import type { SipCluster } from "./resource.ts";

export interface ImageChoice {
  readonly image: string;
  /** The image's tag, or else its digest. */
  readonly version: string;
}

/** `served`: the last image that nodes served with. `byDefault`: the image of the chart. */
export function planImage(
  { image, version }: Pick<SipCluster, "image" | "version">,
  served: string | undefined,
  byDefault: string,
): ImageChoice {
  const chosen =
    image ?? (version === undefined ? (served ?? byDefault) : `${repositoryOf(byDefault)}:${version}`);
  return { image: chosen, version: versionOf(chosen) };
}

interface Deployed {
  readonly metadata: { readonly generation?: number };
  readonly spec?: {
    readonly template?: {
      readonly spec?: { readonly containers?: readonly { readonly name: string; readonly image?: string }[] };
    };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
}

/** The Deployment's image, if a node serves with it now: more pods are available than there are pods of earlier templates. */
export function servingImage(deployment: Manifest | undefined): string | undefined {
  const { metadata, spec, status = {} } = (deployment ?? { metadata: {} }) as Deployed;
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  const isObserved = observedGeneration >= (metadata.generation ?? 0);
  if (!isObserved || availableReplicas <= replicas - updatedReplicas) return undefined;
  return spec?.template?.spec?.containers?.find(({ name }) => name === "sip-node")?.image;
}

const withoutDigest = (image: string): string => image.split("@")[0] ?? image;

/** A colon before the last slash belongs to the registry's port. */
const tagAt = (image: string): number => {
  const colon = image.lastIndexOf(":");
  return colon > image.lastIndexOf("/") ? colon : image.length;
};

const repositoryOf = (image: string): string => withoutDigest(image).slice(0, tagAt(withoutDigest(image)));

export function versionOf(image: string): string {
  const name = withoutDigest(image);
  const tag = name.slice(tagAt(name) + 1);
  return tag === "" ? (image.split("@")[1] ?? "latest") : tag;
}
