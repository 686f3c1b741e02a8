/** Reconciles SipUsers: parse, read the world, decide, apply, say how it is. */
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
import { generatedSecretOf, parseSipUser, type SipUser, type UserFields } from "./resource.ts";
import { readUserWorld } from "./world.ts";

export class SipUserController implements Controller {
  readonly kind = "SipUser";
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
      const user = parseSipUser(object);
      const world = await readUserWorld(user, installation, this.#source);
      const { actions, ready, status, ...outcome } = decide(user, world);
      await apply(actions, user, installation, this.#source);
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
    const owner = await readOwner<UserFields>(installation, reference);
    if (owner === undefined) return;
    await apply(decideRemoval(owner), { reference, uid: owner.uid }, installation, this.#source);
    await this.#source.removeSecret(generatedSecretOf(reference.namespace, reference.name), owner.uid);
  }

  async owned(): Promise<readonly ObjectKey[]> {
    return ownedKeys(await this.#installation(), this.kind);
  }

  /** Its domain came, went or changed, or its Secret did. */
  concernedBy({ kind, key }: Change): readonly ObjectKey[] {
    if (kind !== "SipDomain" && kind !== "Secret") return [];
    const concerns = (user: SipUser): boolean =>
      key === (kind === "Secret" ? user.credential.secret : keyOf(user.reference.namespace, user.domainName));
    return this.#source
      .list(this.kind)
      .map(parseSipUser)
      .filter(concerns)
      .map(({ reference }) => keyOf(reference.namespace, reference.name));
  }
}
