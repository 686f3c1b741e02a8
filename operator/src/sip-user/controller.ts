/** Reconciles SipUsers: parse, read the current state, decide, apply, write the status. */
import type { Installation } from "../adapters/mysql/installation.ts";
import type { Installations } from "../installations.ts";
import type { OutageConditions } from "../installations/outage-conditions.ts";
import { OwnedRows } from "../installations/owned-rows.ts";
import { reasons, type Owner } from "../ownership.ts";
import { clusterOfDomain } from "../references.ts";
import type { Ms } from "../runtime/clock.ts";
import type { Controller, Finalized, Owned } from "../runtime/controller.ts";
import { isReadyObject } from "../runtime/is-ready-object.ts";
import {
  type CommonStatus,
  keyOf,
  keyOfObject,
  type KubernetesObject,
  type ObjectKey,
} from "../runtime/object.ts";
import type { Outcome } from "../runtime/reconcile-loop.ts";
import { NameIndex } from "../runtime/name-index.ts";
import {
  finalizer,
  reconcileObject,
  type ReconcileDependencies,
  type Plan,
} from "../runtime/reconcile-object.ts";
import type { Change, Source } from "../runtime/source.ts";
import type { SipUserStatus } from "../sources/types.ts";
import type { StatusWriter } from "../runtime/status-writer.ts";
import { AccountReader } from "./account-reader.ts";
import { apply, generatePassword } from "./apply.ts";
import { decide, decideRevocation } from "./decide.ts";
import { indexNamesOf } from "./older-users.ts";
import { OwnSecrets } from "./own-secrets.ts";
import { decideRemoval } from "./remove-rows.ts";
import {
  domainOf,
  generatedSecretOf,
  parseSipUser,
  secretsOf,
  type SipUser,
  type UserFields,
} from "./resource.ts";
import { findCandidates, buildSuccessorOwner, isSuccessor } from "./successor.ts";
import { isExcludedDomain } from "./served-domain.ts";
import { readUserState, type UserStateSources } from "./read-current-state.ts";

export interface SipUserDependencies {
  readonly installations: Installations;
  readonly source: Source;
  readonly status: StatusWriter;
  readonly outages: OutageConditions;
}

export class SipUserController implements Controller {
  readonly kind = "SipUser";
  readonly #state: UserStateSources;
  readonly #reconcileDeps: Omit<ReconcileDependencies, "conditionOf">;
  readonly #outages: OutageConditions;
  readonly #rows: OwnedRows<UserFields>;
  readonly #index: NameIndex;
  /** By the key of the Secret with the credential. */
  readonly #bySecret: NameIndex;
  readonly #ownSecrets = new OwnSecrets();

  constructor(deps: SipUserDependencies) {
    this.#reconcileDeps = { source: deps.source, status: deps.status };
    this.#outages = deps.outages;
    const { installations, source } = deps;
    this.#index = new NameIndex(source, this.kind, indexNamesOf);
    this.#bySecret = new NameIndex(source, this.kind, secretsOf);
    this.#state = { installations, source, index: this.#index, accounts: new AccountReader() };
    this.#rows = new OwnedRows(this.kind, deps.installations, deps.source, (owner, installation) =>
      this.#remove(owner, installation),
    );
  }

  async reconcile(object: KubernetesObject): Promise<Outcome> {
    const user = parseSipUser(object);
    const domain = this.#reconcileDeps.source.get("SipDomain", user.domain);
    const cluster = domain && clusterOfDomain(domain);
    const outcome = await reconcileObject(
      object,
      { ...this.#reconcileDeps, conditionOf: (error) => this.#outages.failed(object, cluster, error) },
      () => this.#plan(user),
      () => this.#revocation(user),
    );
    this.#outages.ended(cluster);
    return outcome;
  }

  /** If its SipDomain is gone already, its rows are searched in every database. */
  async finalize(object: KubernetesObject, waited: Ms): Promise<Finalized> {
    const user = parseSipUser(object);
    const { source } = this.#reconcileDeps;
    const domain = source.get("SipDomain", user.domain);
    const finalized = await this.#rows.finalize(object, domain && clusterOfDomain(domain), waited);
    // A password is generated before the first row is written. So there may be a Secret without an owner row.
    const isRetained = [
      user.deletionPolicy,
      (object.status as SipUserStatus | undefined)?.deletionPolicy,
    ].includes("Retain");
    if (finalized.isDone && !isRetained && user.credential?.kind === "generated")
      await source.removeSecret(user.credential.secret, user.uid);
    return finalized;
  }

  remove(key: ObjectKey): Promise<void> {
    return this.#rows.remove(key);
  }

  owned(): Promise<Owned> {
    return this.#rows.keys();
  }

  /**
   * The SipUsers of a changed SipDomain or Secret. A change of the SipDomain's status alone concerns only users whose own status contradicts
   * it.
   */
  dependentsOf(change: Change): readonly ObjectKey[] {
    this.#index.update(change);
    this.#bySecret.update(change);
    const { kind, key, what } = change;
    const { source } = this.#reconcileDeps;
    if (kind === "Secret") {
      const informed = this.#ownSecrets.report(key, source.secretVersion(key));
      return this.#bySecret.findKeys(key).filter((user) => user !== informed);
    }
    if (kind !== "SipDomain") return [];
    const domain = source.get(kind, key);
    const isExcluded = domain !== undefined && isExcludedDomain(domain);
    const contradicts = (object: KubernetesObject): boolean =>
      isReadyObject(object) !== isReadyObject(domain) || (isExcluded && !waitsForDomain(object));
    return source
      .list(this.kind)
      .filter((object) => domainOf(object) === key && (what === "object" || contradicts(object)))
      .map(keyOfObject);
  }

  endsService(object: KubernetesObject): boolean {
    return !parseSipUser(object).isEnabled;
  }

  hasOutdatedSecret(object: KubernetesObject): boolean {
    const { credential } = parseSipUser(object);
    const { secretResourceVersion } = (object.status ?? {}) as SipUserStatus;
    const current = credential && this.#reconcileDeps.source.secretVersion(credential.secret);
    return current !== undefined && secretResourceVersion !== undefined && current !== secretResourceVersion;
  }

  /** If a password has to be generated, it is generated first. Then the decision is repeated with the new Secret. */
  async #plan(user: SipUser): Promise<Plan> {
    const { source } = this.#reconcileDeps;
    const [state, installation] = await readUserState(user, this.#state);
    let decided = decide(user, state);
    if (decided.actions.some((action) => action.do === "generatePassword") && state.kind === "ready") {
      await apply(decided.actions, user, installation);
      // The finalizer comes first: a deleted object must not leave its Secret behind, because a later object of this name could not replace it.
      const key = keyOf(user.reference.namespace, user.reference.name);
      const hadFinalizer = this.#hasFinalizer(key, user);
      await source.setFinalizer(this.kind, key, true);
      // An object that got its finalizer just now exists, and cannot go without its `finalize`.
      const isHeld = !hadFinalizer && this.#hasFinalizer(key, user);
      const secret = await generatePassword(decided.actions, user.uid, source);
      if (secret !== undefined && user.credential !== undefined) {
        const { secret: name } = user.credential;
        this.#ownSecrets.add(name, secret, key, source.secretVersion(name));
      }
      if (!isHeld && (await this.#isGone(key, user)))
        return { ...decided, actions: [], apply: () => Promise.resolve() };
      decided = decide(user, { ...state, secret });
    }
    const failure = state.kind === "ready" ? state.secretFailure : undefined;
    return {
      ...decided,
      apply: async () => {
        await apply(decided.actions, user, installation);
        if (failure !== undefined) throw failure;
      },
    };
  }

  /** A revocation does not need the Secret. */
  async #revocation(user: SipUser): Promise<Plan | undefined> {
    const [state, installation] = await readUserState({ ...user, credential: undefined }, this.#state);
    const decided = decideRevocation(user, state);
    return decided && { ...decided, apply: () => apply(decided.actions, user, installation) };
  }

  #hasFinalizer(key: ObjectKey, { uid }: SipUser): boolean {
    const object = this.#reconcileDeps.source.get(this.kind, key);
    return object?.metadata.uid === uid && object.metadata.finalizers?.includes(finalizer) === true;
  }

  /** A deletion that began before the finalizer was set still completes. Then the generated Secret is removed here. */
  async #isGone(key: ObjectKey, { credential, uid }: SipUser): Promise<boolean> {
    const { source } = this.#reconcileDeps;
    const found = await source.existence(this.kind, key);
    const isGone = found.is === "absent" || (found.is === "present" && found.uid !== uid);
    if (isGone && credential !== undefined) await source.removeSecret(credential.secret, uid);
    return isGone;
  }

  /** The object that a renamed user has now. An object whose Secret cannot be read is no candidate. */
  async #successorOf(owner: Owner<UserFields>): Promise<SipUser | undefined> {
    for (const object of findCandidates(owner, this.#index)) {
      const user = parseSipUser(object);
      const [state] = await readUserState(user, this.#state);
      if (isSuccessor(user, state, owner)) return user;
    }
    return undefined;
  }

  async #remove(owner: Owner<UserFields>, installation: Installation): Promise<void> {
    const { reference, uid, fields } = owner;
    const { source } = this.#reconcileDeps;
    const successor = await this.#successorOf(owner);
    if (successor !== undefined)
      return apply([{ do: "handOver", owner: buildSuccessorOwner(successor, owner) }], owner, installation);
    // The Secret is removed first, because without the owner row it would be unknown. A retained row keeps its password.
    if (fields.generatedFor !== undefined && owner.deletionPolicy === "Delete")
      await source.removeSecret(generatedSecretOf(reference.namespace, reference.name), fields.generatedFor);
    await apply(decideRemoval(owner), { reference, uid }, installation);
  }
}

/** A user that is not Ready for another reason may have rows that are switched on. */
const waitsForDomain = ({ status }: KubernetesObject): boolean =>
  ((status ?? {}) as CommonStatus).conditions?.some(
    ({ type, reason }) => type === "Ready" && reason === reasons.domainNotReady,
  ) ?? false;
