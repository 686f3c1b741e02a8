/** Reconciles SipClusters: parse, read the world, decide, apply, say how it is. */
import { clusterOfDatabase, type Installation } from "../adapters/mysql/installation.ts";
import { verdictOfFailure } from "../adapters/mysql/verdict-of-failure.ts";
import type { Controller } from "../runtime/controller.ts";
import { keyOf, splitKey, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { Outcome } from "../runtime/reconcile-loop.ts";
import type { StatusWriter } from "../runtime/status-writer.ts";
import { apply } from "./apply.ts";
import { decide, decideRemoval } from "./decide.ts";
import { parseSipCluster } from "./resource.ts";
import { readClusterWorld } from "./world.ts";

export class SipClusterController implements Controller {
  readonly kind = "SipCluster";
  readonly #installation: () => Promise<Installation>;
  readonly #status: StatusWriter;

  constructor(installation: () => Promise<Installation>, status: StatusWriter) {
    this.#installation = installation;
    this.#status = status;
  }

  async reconcile(object: KubernetesObject): Promise<Outcome> {
    try {
      const installation = await this.#installation();
      const cluster = parseSipCluster(object);
      const { actions, ready, status, ...outcome } = decide(cluster, await readClusterWorld(installation));
      await apply(actions, { ...cluster.reference, uid: cluster.uid }, installation);
      await this.#status.write(object, ready, status);
      return outcome;
    } catch (error) {
      await this.#status.write(object, verdictOfFailure(error));
      throw error;
    }
  }

  async remove(key: ObjectKey): Promise<void> {
    const installation = await this.#installation();
    const holder = await clusterOfDatabase(installation.database);
    const { namespace, name } = splitKey(key);
    if (holder?.namespace === namespace && holder.name === name)
      await apply(decideRemoval(), holder, installation);
  }

  async owned(): Promise<readonly ObjectKey[]> {
    const holder = await clusterOfDatabase((await this.#installation()).database);
    return holder === undefined ? [] : [keyOf(holder.namespace, holder.name)];
  }

  concernedBy(): readonly ObjectKey[] {
    return [];
  }
}
