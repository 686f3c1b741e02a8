/** The rows of one kind's objects in all open databases. They are found and removed only by their owner rows (design-kubernetes rules 4 and 6). */
import { failureOf } from "../adapters/mysql/failure.ts";
import { LeadershipLost, type Installation } from "../adapters/mysql/installation.ts";
import { ownedKeys, readOwner } from "../adapters/mysql/owners.ts";
import type { Installations } from "../installations.ts";
import type { Owner, OwnerFields } from "../ownership.ts";
import type { Finalized, Owned } from "../runtime/controller.ts";
import type { Ms } from "../runtime/clock.ts";
import { splitKey, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import { finalizer } from "../runtime/reconcile-object.ts";
import type { Source } from "../runtime/source.ts";
import { askEach, removeFromEach } from "./ask-each.ts";

/** Removes the rows of an owner, and the owner row. */
export type RemoveRows<Fields> = (owner: Owner<Fields>, installation: Installation) => Promise<void>;

/** How long a deletion waits for a database. After that the sweep removes the rows. */
const databaseTimeoutMs = 30_000;
const retryMs = 2_000;

export class OwnedRows<Fields extends OwnerFields> {
  readonly #kind: string;
  readonly #installations: Installations;
  readonly #source: Source;
  readonly #remove: RemoveRows<Fields>;

  constructor(kind: string, installations: Installations, source: Source, remove: RemoveRows<Fields>) {
    this.#kind = kind;
    this.#installations = installations;
    this.#source = source;
    this.#remove = remove;
  }

  async keys(): Promise<Owned> {
    const asked = await askEach(this.#installations.open(), (one) => ownedKeys(one, this.#kind));
    const isComplete = asked.failures.length === 0 && this.#installations.unreachable().length === 0;
    return { keys: [...new Set(asked.answers.flat())], isComplete, failures: asked.failures };
  }

  /** The uid of the owner row is not compared, because the object is proven to be gone. */
  remove(key: ObjectKey): Promise<void> {
    const reference = { kind: this.#kind, ...splitKey(key) };
    return removeFromEach(this.#installations.open(), async (installation) => {
      const owner = await readOwner<Fields>(installation, reference);
      if (owner !== undefined) await this.#remove(owner, installation);
      return owner !== undefined;
    });
  }

  /**
   * Removes the rows of this object, by its uid. `cluster` is the SipCluster of the object, if it is known. A database that is unavailable
   * for 30 s no longer delays the deletion of the object.
   */
  async finalize(object: KubernetesObject, cluster: ObjectKey | undefined, waited: Ms): Promise<Finalized> {
    const { kind, metadata } = object;
    const reference = { kind, namespace: metadata.namespace, name: metadata.name };
    let own: Installation | undefined;
    let isAway =
      cluster !== undefined && !(await isReached(async () => (own = await this.#installations.of(cluster))));
    let isRemoved = false;
    const { failures } = await askEach(this.#installations.open(), async (one) => {
      // Databases of other SipClusters matter only if the object's SipCluster is unknown.
      const isRelevant = cluster === undefined || one === own;
      const found = await readOwner<Fields>(one, reference).catch((error: unknown) => {
        if (one === own && failureOf(error) === undefined) throw error;
        isAway ||= isRelevant;
      });
      if (found?.uid !== metadata.uid) return;
      if (await isReached(() => this.#remove(found, one))) isRemoved = true;
      else isAway ||= isRelevant;
    });
    if (failures.length > 0) throw failures[0];
    if (isRemoved || metadata.finalizers?.includes(finalizer) !== true) return { isDone: true };
    const why = isAway ? databaseUnavailable : this.#whyUnknown(cluster);
    if (why === undefined) return { isDone: true };
    if (why !== clusterGone && waited < databaseTimeoutMs) return { isDone: false, requeueAfter: retryMs };
    const message = `${why}; the object is deleted now, and its rows when that database can be reached again`;
    this.#source.event(object, { type: "Warning", reason: "RowsKept", message });
    return { isDone: true };
  }

  /** Why the rows of the object are unknown. */
  #whyUnknown(cluster: ObjectKey | undefined): string | undefined {
    if (cluster !== undefined && this.#source.get("SipCluster", cluster) === undefined) return clusterGone;
    const away = this.#installations.unreachable();
    const concerns = cluster === undefined ? away.length > 0 : away.includes(cluster);
    return concerns ? databaseUnavailable : undefined;
  }
}

/** The details are only in the conditions of the SipCluster, for readers of its namespace. */
const databaseUnavailable = "the database of its SipCluster cannot be reached";
const clusterGone = "its SipCluster is gone";

/** False: a database failed. Other errors are thrown, and also a lost leadership, because waiting does not help. */
async function isReached(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof LeadershipLost || failureOf(error) === undefined) throw error;
    return false;
  }
}
