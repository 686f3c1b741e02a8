/** Carries out the decision about a SipCluster: one action after the other, in the order of the decision. */
import { setClusterOfDatabase, type Installation } from "../adapters/mysql/installation.ts";
import { migrate } from "../adapters/mysql/migrate.ts";
import { readMigrations } from "../adapters/mysql/migration-files.ts";
import type { Manifest } from "../runtime/manifests.ts";
import { keyOf, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { ClusterAction } from "./decide.ts";
import { objectTypes } from "./live-objects.ts";
import type { ClusterDependencies } from "./read-current-state.ts";
import type { SipCluster } from "./resource.ts";

export interface ApplyTarget {
  readonly object: KubernetesObject;
  readonly cluster: SipCluster;
  readonly installation: Installation | undefined;
}

export async function apply(
  actions: readonly ClusterAction[],
  { object, cluster, installation }: ApplyTarget,
  { fleet, source }: Pick<ClusterDependencies, "fleet" | "source">,
): Promise<void> {
  for (const action of actions) {
    switch (action.do) {
      case "takeDatabase":
        await takeDatabase(cluster, installation);
        break;
      case "migrateDatabase":
        if (installation !== undefined) await migrate(installation.database, await readMigrations());
        break;
      case "releaseDatabase":
        await installation?.write((change) => setClusterOfDatabase(change, undefined));
        break;
      case "recordEvent":
        source.event(object, action.event);
        break;
      default:
        if (fleet !== undefined) await writeManifest(action.do, action.manifest, fleet);
    }
  }
}

const takeDatabase = async (
  { reference, uid }: SipCluster,
  installation: Installation | undefined,
): Promise<void> => installation?.write((change) => setClusterOfDatabase(change, { ...reference, uid }));

async function writeManifest(
  how: "apply" | "create" | "remove" | "annotatePod",
  manifest: Manifest,
  { manifests, live }: NonNullable<ClusterDependencies["fleet"]>,
): Promise<void> {
  const { namespace, name, uid = "" } = manifest.metadata;
  const key = keyOf(namespace, name);
  // After a write that fails halfway the cached object may be wrong.
  live.forget(manifest.kind, key);
  if (how === "apply") live.learn(await manifests.apply(manifest));
  else if (how === "create") await manifests.create(manifest);
  else if (how === "remove") await manifests.remove(manifest, key, uid);
  else await annotatePod(manifest, key, manifests);
}

/** An error does not count for a pod that is gone, or that is another pod of this name by now. */
async function annotatePod(
  manifest: Manifest,
  key: ObjectKey,
  manifests: NonNullable<ClusterDependencies["fleet"]>["manifests"],
): Promise<void> {
  try {
    await manifests.apply(manifest);
  } catch (error) {
    const pod = await manifests.read(objectTypes.Pod, key);
    if (pod?.metadata.uid === manifest.metadata.uid) throw error;
  }
}
