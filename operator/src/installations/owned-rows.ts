/** Rows of one kind's objects in all databases that are open, found and removed by their owner rows alone (design: ownership, rules 4 and 6). */
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

/** Removes what an owner row says, with the row itself. */
export type RemoveRows<Fields> = (owner: Owner<Fields>, installation: Installation) => Promise<void>;

/** A deletion waits for a database so long; after that the sweep finishes it. */
const patienceMs = 30_000;
const againMs = 2_000;

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

  /** Whoever's uid the owner row has: the object is proven gone. */
  remove(key: ObjectKey): Promise<void> {
    const reference = { kind: this.#kind, ...splitKey(key) };
    return removeFromEach(this.#installations.open(), async (installation) => {
      const owner = await readOwner<Fields>(installation, reference);
      if (owner !== undefined) await this.#remove(owner, installation);
      return owner !== undefined;
    });
  }

  /**
   * What this very object owns, by its uid: one that never owned anything removes nothing. `cluster` is the SipCluster that its spec leads
   * to, as far as that can be told. A database that stays away for 30 s does not hold the object back any longer.
   */
  async finalize(object: KubernetesObject, cluster: ObjectKey | undefined, waited: Ms): Promise<Finalized> {
    const { kind, metadata } = object;
    const reference = { kind, namespace: metadata.namespace, name: metadata.name };
    let own: Installation | undefined;
    let isAway =
      cluster !== undefined && !(await isReached(async () => (own = await this.#installations.of(cluster))));
    let isRemoved = false;
    const { failures } = await askEach(this.#installations.open(), async (one) => {
      // Another SipCluster's database is of interest only where nobody can tell whose the object was.
      const isOfInterest = cluster === undefined || one === own;
      const found = await readOwner<Fields>(one, reference).catch((error: unknown) => {
        if (one === own && failureOf(error) === undefined) throw error;
        isAway ||= isOfInterest;
      });
      if (found?.uid !== metadata.uid) return;
      if (await isReached(() => this.#remove(found, one))) isRemoved = true;
      else isAway ||= isOfInterest;
    });
    if (failures.length > 0) throw failures[0];
    if (isRemoved || metadata.finalizers?.includes(finalizer) !== true) return { isDone: true };
    const why = isAway ? databaseAway : this.#unknown(cluster);
    if (why === undefined) return { isDone: true };
    if (why !== clusterGone && waited < patienceMs) return { isDone: false, requeueAfter: againMs };
    const message = `${why}; the object goes, and its rows when that database can be reached again`;
    this.#source.event(object, { type: "Warning", reason: "RowsKept", message });
    return { isDone: true };
  }

  /** Why nobody can tell what it owns. */
  #unknown(cluster: ObjectKey | undefined): string | undefined {
    if (cluster !== undefined && this.#source.get("SipCluster", cluster) === undefined) return clusterGone;
    const away = this.#installations.unreachable();
    const concerns = cluster === undefined ? away.length > 0 : away.includes(cluster);
    return concerns ? databaseAway : undefined;
  }
}

/** Why, and where, is said to people of the SipCluster's namespace only: in its conditions. */
const databaseAway = "the database of its SipCluster cannot be reached";
const clusterGone = "its SipCluster is gone";

/** Whether that went well; a failure that is none of a database goes on, and a leadership that was lost is not to be waited out. */
async function isReached(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof LeadershipLost || failureOf(error) === undefined) throw error;
    return false;
  }
}
