/** Reconciles SipUsers: parse, read the state, decide, apply, say how it is. */
import type { Installation } from "../adapters/mysql/installation.ts";
import type { Installations } from "../installations.ts";
import type { OutageVerdicts } from "../installations/outage-verdicts.ts";
import { OwnedRows } from "../installations/owned-rows.ts";
import { reasons, type Owner } from "../ownership.ts";
import type { Ms } from "../runtime/clock.ts";
import type { Controller, Finalized, Owned } from "../runtime/controller.ts";
import { isReadyObject } from "../runtime/is-ready-object.ts";
import {
  keyOf,
  splitKey,
  type CommonStatus,
  type KubernetesObject,
  type ObjectKey,
} from "../runtime/object.ts";
import type { Outcome } from "../runtime/reconcile-loop.ts";
import { NameIndex } from "../runtime/name-index.ts";
import { reconcileObject, type ReconcileDependencies, type Plan } from "../runtime/reconcile-object.ts";
import type { Change, Source } from "../runtime/source.ts";
import type { SipUserStatus } from "../sources/types.ts";
import type { StatusWriter } from "../runtime/status-writer.ts";
import { apply } from "./apply.ts";
import { decide, decideRevocation } from "./decide.ts";
import { namesOf } from "./older-users.ts";
import { decideRemoval } from "./remove-rows.ts";
import { generatedSecretOf, parseSipUser, usesSecret, type SipUser, type UserFields } from "./resource.ts";
import { candidates, inheritedBy, succeeds } from "./successor.ts";
import { isShutOut } from "./served-domain.ts";
import { readUserState } from "./read-current-state.ts";
import { clusterOf } from "./current-state.ts";

export class SipUserController implements Controller {
  readonly kind = "SipUser";
  readonly #installations: Installations;
  readonly #frame: Omit<ReconcileDependencies, "conditionOf">;
  readonly #outages: OutageVerdicts;
  readonly #rows: OwnedRows<UserFields>;
  readonly #wanted: NameIndex;

  constructor(parts: {
    readonly installations: Installations;
    readonly source: Source;
    readonly status: StatusWriter;
    readonly outages: OutageVerdicts;
  }) {
    this.#installations = parts.installations;
    this.#frame = { source: parts.source, status: parts.status };
    this.#outages = parts.outages;
    this.#wanted = new NameIndex(parts.source, this.kind, namesOf);
    this.#rows = new OwnedRows(this.kind, parts.installations, parts.source, (owner, installation) =>
      this.#remove(owner, installation),
    );
  }

  async reconcile(object: KubernetesObject): Promise<Outcome> {
    const user = parseSipUser(object);
    const domain = this.#frame.source.get("SipDomain", user.domain);
    const cluster = domain && clusterOf(domain);
    const outcome = await reconcileObject(
      object,
      { ...this.#frame, conditionOf: (error) => this.#outages.failed(object, cluster, error) },
      () => this.#plan(user),
      () => this.#revocation(user),
    );
    this.#outages.ended(cluster);
    return outcome;
  }

  /** Its domain may be gone already: then its rows are looked for in every database. */
  async finalize(object: KubernetesObject, waited: Ms): Promise<Finalized> {
    const user = parseSipUser(object);
    const { source } = this.#frame;
    const domain = source.get("SipDomain", user.domain);
    const finalized = await this.#rows.finalize(object, domain && clusterOf(domain), waited);
    // A password is made before the first row, so that there may be one that no owner row knows of.
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

  /** Its domain came, went or changed, or its Secret did; of a domain's state only that it and the user do not agree. */
  dependentsOf(change: Change): readonly ObjectKey[] {
    this.#wanted.update(change);
    const { kind, key, what } = change;
    if (kind !== "SipDomain" && kind !== "Secret") return [];
    const { source } = this.#frame;
    const { namespace: secretNamespace, name: secretName } = splitKey(key);
    const domain = kind === "SipDomain" ? source.get(kind, key) : undefined;
    const isWithdrawn = domain !== undefined && isShutOut(domain);
    const disagrees = (object: KubernetesObject): boolean =>
      isReadyObject(object) !== isReadyObject(domain) || (isWithdrawn && !waitsForDomain(object));
    const concerns = (object: KubernetesObject): boolean =>
      kind === "Secret"
        ? usesSecret(object, secretNamespace, secretName)
        : parseSipUser(object).domain === key && (what === "object" || disagrees(object));
    return source
      .list(this.kind)
      .filter(concerns)
      .map(({ metadata: { namespace, name } }) => keyOf(namespace, name));
  }

  endsService(object: KubernetesObject): boolean {
    return !parseSipUser(object).isEnabled;
  }

  hasOutdatedSecret(object: KubernetesObject): boolean {
    const { credential } = parseSipUser(object);
    const { secretResourceVersion } = (object.status ?? {}) as SipUserStatus;
    const now = credential && this.#frame.source.secretVersion(credential.secret);
    return now !== undefined && secretResourceVersion !== undefined && now !== secretResourceVersion;
  }

  /** A password that has to be made is made first, and then looked at like any other. */
  async #plan(user: SipUser): Promise<Plan> {
    const { source } = this.#frame;
    const [state, installation] = await readUserState(user, this.#installations, source, this.#wanted);
    let decided = decide(user, state);
    const generates = decided.actions.filter((action) => action.do === "generatePassword");
    if (generates.length > 0 && state.kind === "ready") {
      const rows = decided.actions.filter((action) => action.do !== "generatePassword");
      await apply(rows, user, installation, source);
      // Whoever is deleted meanwhile must leave no password behind: nobody of that name would ever get another one.
      const key = keyOf(user.reference.namespace, user.reference.name);
      await source.setFinalizer(this.kind, key, true);
      await apply(generates, user, installation, source);
      if (await this.#isGone(key, user)) return { ...decided, actions: [], apply: () => Promise.resolve() };
      const secret = user.credential && (await source.secret(user.credential.secret));
      decided = decide(user, { ...state, secret });
    }
    const failure = state.kind === "ready" ? state.secretFailure : undefined;
    return {
      ...decided,
      apply: async () => {
        await apply(decided.actions, user, installation, source);
        if (failure !== undefined) throw failure;
      },
    };
  }

  /** Its Secret is of no interest. */
  async #revocation(user: SipUser): Promise<Plan | undefined> {
    const { source } = this.#frame;
    const [state, installation] = await readUserState(
      { ...user, credential: undefined },
      this.#installations,
      source,
      this.#wanted,
    );
    const decided = decideRevocation(user, state);
    return decided && { ...decided, apply: () => apply(decided.actions, user, installation, source) };
  }

  /** A deletion that the API server had begun when the object was held back goes through all the same. Takes the password along. */
  async #isGone(key: ObjectKey, { credential, uid }: SipUser): Promise<boolean> {
    const { source } = this.#frame;
    const found = await source.presence(this.kind, key);
    const isGone = found.is === "absent" || (found.is === "present" && found.uid !== uid);
    if (isGone && credential !== undefined) await source.removeSecret(credential.secret, uid);
    return isGone;
  }

  /** The object under which a renamed user goes on. A Secret that cannot be read shows nothing. */
  async #successorOf(owner: Owner<UserFields>): Promise<SipUser | undefined> {
    const { source } = this.#frame;
    for (const object of candidates(owner, this.#wanted)) {
      const user = parseSipUser(object);
      const [state] = await readUserState(user, this.#installations, source, this.#wanted);
      if (succeeds(user, state, owner)) return user;
    }
    return undefined;
  }

  async #remove(owner: Owner<UserFields>, installation: Installation): Promise<void> {
    const { reference, uid, fields } = owner;
    const { source } = this.#frame;
    const successor = await this.#successorOf(owner);
    if (successor !== undefined)
      return apply([{ do: "handOver", owner: inheritedBy(successor, owner) }], owner, installation, source);
    // First, for without the owner row nobody knows of it any more. A row that is retained keeps its password.
    if (fields.generatedFor !== undefined && owner.deletionPolicy === "Delete")
      await source.removeSecret(generatedSecretOf(reference.namespace, reference.name), fields.generatedFor);
    await apply(decideRemoval(owner), { reference, uid }, installation, source);
  }
}

/** Who is not ready for another reason may have rows that are on. */
const waitsForDomain = ({ status }: KubernetesObject): boolean =>
  ((status ?? {}) as CommonStatus).conditions?.some(
    ({ type, reason }) => type === "Ready" && reason === reasons.domainNotReady,
  ) ?? false;
