/** Reconciles SipDomains: parse, read the world, decide, apply, say how it is. */
import type { Installation } from "../adapters/mysql/installation.ts";
import { ownedKeys, readOwner } from "../adapters/mysql/owners.ts";
import { verdictOfFailure } from "../adapters/mysql/verdict-of-failure.ts";
import type { Controller } from "../runtime/controller.ts";
import { keyOf, splitKey, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { Outcome } from "../runtime/reconcile-loop.ts";
import type { Change, Source } from "../runtime/source.ts";
import type { StatusWriter } from "../runtime/status-writer.ts";
import { apply } from "./apply.ts";
import { decide, decideRemoval } from "./decide.ts";
import { parseSipDomain, type DomainFields } from "./resource.ts";
import { readDomainWorld } from "./world.ts";

export class SipDomainController implements Controller {
  readonly kind = "SipDomain";
  readonly #installation: () => Promise<Installation>;
  readonly #source: Source;
  readonly #status: StatusWriter;

  constructor(installation: () => Promise<Installation>, source: Source, status: StatusWriter) {
    this.#installation = installation;
    this.#source = source;
    this.#status = status;
  }

  async reconcile(object: KubernetesObject): Promise<Outcome> {
    try {
      const installation = await this.#installation();
      const domain = parseSipDomain(object);
      const world = await readDomainWorld(domain, installation, this.#source);
      const { actions, ready, status, ...outcome } = decide(domain, world);
      await apply(actions, domain.reference, installation);
      await this.#status.write(object, ready, status);
      return outcome;
    } catch (error) {
      await this.#status.write(object, verdictOfFailure(error));
      throw error;
    }
  }

  async remove(key: ObjectKey): Promise<void> {
    const installation = await this.#installation();
    const reference = { kind: this.kind, ...splitKey(key) };
    const owner = await readOwner<DomainFields>(installation, reference);
    if (owner !== undefined) await apply(decideRemoval(owner), reference, installation);
  }

  async owned(): Promise<readonly ObjectKey[]> {
    return ownedKeys(await this.#installation(), this.kind);
  }

  /** Its cluster came, went or got its database. */
  concernedBy({ kind, key }: Change): readonly ObjectKey[] {
    if (kind !== "SipCluster") return [];
    const { namespace, name } = splitKey(key);
    return this.#source
      .list(this.kind)
      .map(parseSipDomain)
      .filter((domain) => domain.reference.namespace === namespace && domain.clusterName === name)
      .map(({ reference }) => keyOf(reference.namespace, reference.name));
  }
}
