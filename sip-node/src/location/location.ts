/**
 * The location service (RFC 3261 §10, §16.5). Every look-up reads the database, together with others. Every change is committed, together
 * with others, before it is acknowledged (P1, P2). Nothing is answered from memory ("What never happens" in
 * docs/ARCHITECTURE.md).
 */
import { maxSameContact } from "../wire/limits.ts";
import { isAscii } from "../wire/wire-text.ts";
import { type Aor, aorText, type Resolution } from "./account.ts";
import type { AorBindings, Binding, BindingChange, CommitOutcome, OwnedBinding } from "./binding.ts";
import { Coalescer, type CoalescerDependencies, type CoalescerLimits } from "./coalescer.ts";
import type { DialogTarget } from "./dialog-target.ts";
import type { LocationStore } from "./location-store.ts";

/** The look-ups of the registrar and the proxy. A promise rejects only with `StoreUnavailable` or `QueueFull`. */
export interface Lookup {
  resolve(name: Aor): Promise<Resolution>;
  bindings(aor: Aor): Promise<AorBindings>;
  /** The binding of a `contact_id`, expired or not. */
  bindingById(id: string): Promise<Binding | undefined>;
  /** Current bindings of all users whose contact has this `contactKey`; empty when more than `maxSameContact` have it. */
  bindingsByContact(key: string): Promise<readonly OwnedBinding[]>;
  /** The new address of a side of a dialog; undefined: it sent no target refresh. */
  dialogTarget(sideId: string): Promise<DialogTarget | undefined>;
  /** Resolves when every node can read it. */
  storeDialogTarget(target: DialogTarget): Promise<void>;
}

const readLimits = { maxBatch: 64, maxRunning: 2, maxQueue: 10_000 };
/** One key in each statement, so that a contact which many users share does not use up the rows of another one. */
const contactLimits = { maxBatch: 1, maxRunning: 2, maxQueue: 1_000 };
const commitLimits = { maxBatch: 128, maxRunning: 1, maxQueue: 10_000 };

export class Location implements Lookup {
  private readonly resolutions: Coalescer<Aor, Resolution>;
  private readonly bindingLists: Coalescer<Aor, AorBindings>;
  private readonly byId: Coalescer<string, Binding | undefined>;
  private readonly byContact: Coalescer<string, readonly OwnedBinding[]>;
  private readonly dialogTargets: Coalescer<string, DialogTarget | undefined>;
  private readonly targetWrites: Coalescer<DialogTarget, undefined>;
  private readonly commits: Coalescer<BindingChange, CommitOutcome>;

  constructor(store: LocationStore, defer: (act: () => void) => void) {
    const coalesce = <Item, Answer>(
      run: CoalescerDependencies<Item, Answer>["run"],
      limits: CoalescerLimits,
    ) => new Coalescer({ run, defer }, limits);
    this.resolutions = coalesce(
      (names) => runDistinct(names, aorText, (distinct) => store.resolve(distinct)),
      readLimits,
    );
    this.bindingLists = coalesce(
      (aors) => runDistinct(aors, aorText, (distinct) => store.bindings(distinct)),
      readLimits,
    );
    this.byId = coalesce((ids) => store.bindingsById(ids), readLimits);
    this.byContact = coalesce((keys) => readByContact(store, keys), contactLimits);
    this.dialogTargets = coalesce((ids) => store.dialogTargets(ids), readLimits);
    this.targetWrites = coalesce((batch) => storeTargets(store, batch), commitLimits);
    this.commits = coalesce((changes) => commitFirstOfEach(store, changes), commitLimits);
  }

  /**
   * A domain is a host (RFC 3261 §25.1). A login name may have other text after its "@", which some tables cannot compare. Such a text
   * names no domain.
   */
  resolve(name: Aor): Promise<Resolution> {
    if (!isAscii(name.domain)) return Promise.resolve({ domain: undefined, account: undefined });
    return isStorable(name) ? this.resolutions.add(name) : this.resolveDomain(name.domain);
  }

  bindings(aor: Aor): Promise<AorBindings> {
    return this.bindingLists.add(aor);
  }

  bindingById(id: string): Promise<Binding | undefined> {
    return this.byId.add(id);
  }

  bindingsByContact(key: string): Promise<readonly OwnedBinding[]> {
    return this.byContact.add(key);
  }

  dialogTarget(sideId: string): Promise<DialogTarget | undefined> {
    return this.dialogTargets.add(sideId);
  }

  async storeDialogTarget(target: DialogTarget): Promise<void> {
    await this.targetWrites.add(target);
  }

  /** Resolves after COMMIT. */
  commit(change: BindingChange): Promise<CommitOutcome> {
    return this.commits.add(change);
  }

  /** A name that no row can hold has no account, but its domain may be served. */
  private async resolveDomain(domain: string): Promise<Resolution> {
    if (domain.length > 64) return { domain: undefined, account: undefined };
    const { domain: served } = await this.resolutions.add({ username: "", domain });
    return { domain: served, account: undefined };
  }
}

// `username` and `domain` are CHAR(64)
const isStorable = (name: Aor): boolean => name.username.length <= 64 && name.domain.length <= 64;

/** Runs a batch with each distinct item once. Returns an answer for each item of the original batch, in order. */
async function runDistinct<Item, Answer>(
  batch: readonly Item[],
  keyOf: (item: Item) => string,
  run: (distinct: readonly Item[]) => Promise<readonly Answer[]>,
): Promise<readonly Answer[]> {
  if (batch.length === 1) return run(batch);
  const placeOfKey = new Map<string, number>();
  const distinct: Item[] = [];
  const places = batch.map((item) => {
    const key = keyOf(item);
    const known = placeOfKey.get(key);
    if (known !== undefined) return known;
    placeOfKey.set(key, distinct.length);
    return distinct.push(item) - 1;
  });
  const answers = await run(distinct);
  return places.map((place) => answers[place] as Answer);
}

/** One list for each key. */
async function readByContact(
  store: LocationStore,
  keys: readonly string[],
): Promise<readonly (readonly OwnedBinding[])[]> {
  const found = await Promise.all(keys.map((key) => store.bindingsByContact(key, maxSameContact + 1)));
  return found.map((bindings) => (bindings.length > maxSameContact ? [] : bindings));
}

/** Stores the last target of each side, in the order of their keys: two nodes then lock rows in the same order. */
async function storeTargets(store: LocationStore, batch: readonly DialogTarget[]): Promise<undefined[]> {
  const last = new Map(batch.map((target) => [target.sideId, target]));
  await store.storeDialogTargets([...last].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, target]) => target));
  return batch.map(() => undefined);
}

/** Commits the first change of each address of record. Later ones were planned on a version that is now outdated: they conflict. */
async function commitFirstOfEach(
  store: LocationStore,
  changes: readonly BindingChange[],
): Promise<readonly CommitOutcome[]> {
  const first = new Map<string, number>();
  changes.forEach((change, i) => {
    const key = aorText(change.aor);
    if (!first.has(key)) first.set(key, i);
  });
  const order = [...first].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, i]) => i);
  const outcomes = await store.commit(order.map((i) => changes[i] as BindingChange));
  const result = changes.map((): CommitOutcome => "conflict");
  order.forEach((i, at) => {
    result[i] = outcomes[at] as CommitOutcome;
  });
  return result;
}
