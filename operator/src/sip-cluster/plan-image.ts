/** Which image the nodes run. While the spec is silent they stay at what they run, whatever a newer operator would choose. Pure. */
import type { SipCluster } from "./resource.ts";

export interface ImageChoice {
  readonly image: string;
  /** The image's tag, or else its digest. */
  readonly version: string;
}

/** `before`: what the status says, or else what the Deployment runs. `byDefault`: the operator's own choice. */
export function planImage(
  { image, version }: Pick<SipCluster, "image" | "version">,
  before: string | undefined,
  byDefault: string,
): ImageChoice {
  const chosen =
    image ?? (version === undefined ? (before ?? byDefault) : `${repositoryOf(byDefault)}:${version}`);
  return { image: chosen, version: versionOf(chosen) };
}

const withoutDigest = (image: string): string => image.split("@")[0] ?? image;

/** A colon before the last slash belongs to the registry's port. */
const tagAt = (image: string): number => {
  const colon = image.lastIndexOf(":");
  return colon > image.lastIndexOf("/") ? colon : image.length;
};

const repositoryOf = (image: string): string => withoutDigest(image).slice(0, tagAt(withoutDigest(image)));

function versionOf(image: string): string {
  const name = withoutDigest(image);
  const tag = name.slice(tagAt(name) + 1);
  return tag === "" ? (image.split("@")[1] ?? "latest") : tag;
}
