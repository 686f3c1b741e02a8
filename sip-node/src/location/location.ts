/**
 * The location service (RFC 3261 §10, §16.5): every look-up reads the database, coalesced; every change is committed with the group
 * before it is acknowledged (P1, P2). Nothing is answered from memory.
 */
import type { Aor, Resolution } from "./account.ts";
import type { DialogTarget } from "./dialog-target.ts";
import { aorText } from "./account.ts";
import type { Binding, BindingChange, CommitOutcome, OwnedBinding } from "./binding.ts";
import { Coalescer } from "./coalescer.ts";
import { maxSameContact } from "../wire/limits.ts";
import { isAscii } from "../wire/wire-text.ts";
import type { LocationStore } from "./location-store.ts";

/** What the deciding rooms may ask. Every promise rejects with `StoreUnavailable` or `QueueFull` and nothing else. */
export interface Lookup {
  resolve(name: Aor): Promise<Resolution>;
  bindings(aor: Aor): Promise<readonly Binding[]>;
  /** The binding of a `contact_id`, expired or not. */
  bindingById(id: string): Promise<Binding | undefined>;
  /** Current bindings of whatever user whose contact has this `contactKey`; empty too where so many have it that it names nobody. */
  bindingsByContact(key: string): Promise<readonly OwnedBinding[]>;
  /** Where one side of a dialog is since it changed its address within it; undefined: it did not. */
  dialogTarget(sideId: string): Promise<DialogTarget | undefined>;
  /** Resolves once every node can read it. */
  keepDialogTarget(target: DialogTarget): Promise<void>;
}

const readBounds = { maxBatch: 64, maxRunning: 2, maxQueue: 10_000 };
/** One key a statement, so that a contact which many share costs no other its rows. */
const contactBounds = { maxBatch: 1, maxRunning: 2, maxQueue: 1_000 };
const commitBounds = { maxBatch: 128, maxRunning: 1, maxQueue: 10_000 };

export class Location implements Lookup {
  private readonly resolutions: Coalescer<Aor, Resolution>;
  private readonly lists: Coalescer<Aor, readonly Binding[]>;
  private readonly byId: Coalescer<string, Binding | undefined>;
  private readonly byContact: Coalescer<string, readonly OwnedBinding[]>;
  private readonly targets: Coalescer<string, DialogTarget | undefined>;
  private readonly newTargets: Coalescer<DialogTarget, undefined>;
  private readonly commits: Coalescer<BindingChange, CommitOutcome>;

  constructor(store: LocationStore, defer: (act: () => void) => void) {
    this.resolutions = new Coalescer(
      (names) => once(names, aorText, (unique) => store.resolve(unique)),
      defer,
      readBounds,
    );
    this.lists = new Coalescer(
      (aors) => once(aors, aorText, (unique) => store.bindings(unique)),
      defer,
      readBounds,
    );
    this.byId = new Coalescer((ids) => store.bindingsById(ids), defer, readBounds);
    this.byContact = new Coalescer((keys) => withContact(store, keys), defer, contactBounds);
    this.targets = new Coalescer((ids) => store.dialogTargets(ids), defer, readBounds);
    this.newTargets = new Coalescer((batch) => keepTargets(store, batch), defer, commitBounds);
    this.commits = new Coalescer((changes) => commitInRounds(store, changes), defer, commitBounds);
  }

  /** A domain is a host (RFC 3261 §25.1). Login names may say other text behind their "@", which some tables cannot compare: it names none. */
  resolve(name: Aor): Promise<Resolution> {
    if (!isAscii(name.domain)) return Promise.resolve({ domain: undefined, account: undefined });
    return isStorable(name) ? this.resolutions.ask(name) : this.resolveDomain(name.domain);
  }

  bindings(aor: Aor): Promise<readonly Binding[]> {
    return this.lists.ask(aor);
  }

  bindingById(id: string): Promise<Binding | undefined> {
    return this.byId.ask(id);
  }

  bindingsByContact(key: string): Promise<readonly OwnedBinding[]> {
    return this.byContact.ask(key);
  }

  dialogTarget(sideId: string): Promise<DialogTarget | undefined> {
    return this.targets.ask(sideId);
  }

  async keepDialogTarget(target: DialogTarget): Promise<void> {
    await this.newTargets.ask(target);
  }

  /** Resolves after COMMIT with what became of the change. */
  commit(change: BindingChange): Promise<CommitOutcome> {
    return this.commits.ask(change);
  }

  /** A name that no row can hold has no account, but its domain may well be served. */
  private async resolveDomain(domain: string): Promise<Resolution> {
    if (domain.length > 64) return { domain: undefined, account: undefined };
    const { domain: served } = await this.resolutions.ask({ username: "", domain });
    return { domain: served, account: undefined };
  }
}

// `username` and `domain` are CHAR(64)
const isStorable = (name: Aor): boolean => name.username.length <= 64 && name.domain.length <= 64;

/** Asks for each distinct item once and spreads the answers over the batch. */
async function once<Item, Answer>(
  batch: readonly Item[],
  keyOf: (item: Item) => string,
  ask: (unique: readonly Item[]) => Promise<readonly Answer[]>,
): Promise<readonly Answer[]> {
  if (batch.length === 1) return ask(batch);
  const place = new Map<string, number>();
  const unique: Item[] = [];
  const places = batch.map((item) => {
    const key = keyOf(item);
    const known = place.get(key);
    if (known !== undefined) return known;
    place.set(key, unique.length);
    return unique.push(item) - 1;
  });
  const answers = await ask(unique);
  return places.map((at) => answers[at] as Answer);
}

/** A list for each key. */
async function withContact(
  store: LocationStore,
  keys: readonly string[],
): Promise<readonly (readonly OwnedBinding[])[]> {
  const found = await Promise.all(keys.map((key) => store.bindingsByContact(key, maxSameContact + 1)));
  return found.map((bindings) => (bindings.length > maxSameContact ? [] : bindings));
}

/** Of one side the last; in order of their keys, so that two nodes lock rows in one order. */
async function keepTargets(store: LocationStore, batch: readonly DialogTarget[]): Promise<undefined[]> {
  const last = new Map(batch.map((target) => [target.sideId, target]));
  await store.keepDialogTargets([...last].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, target]) => target));
  return batch.map(() => undefined);
}

/** Two changes of one address of record cannot both hold the version they were planned on: the later one conflicts. */
async function commitInRounds(
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
