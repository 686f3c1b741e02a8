/** One call of the store for a batch of look-ups or writes. */
import { maxSameContact } from "../wire/limits.ts";
import { aorText } from "./account.ts";
import type { BindingChange, CommitOutcome, OwnedBinding } from "./binding.ts";
import type { DialogTarget } from "./dialog-target.ts";
import type { LocationStore } from "./location-store.ts";

/** Runs a batch with each distinct item once. Returns an answer for each item of the original batch, in order. */
export function runDistinct<Item, Answer>(
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
  return run(distinct).then((answers) => places.map((place) => answers[place] as Answer));
}

/** One list for each key. A list that is longer than the limit is empty. */
export function readByContact(
  store: LocationStore,
  keys: readonly string[],
): Promise<readonly (readonly OwnedBinding[])[]> {
  const reads = keys.map((key) => store.bindingsByContact(key, maxSameContact + 1));
  return Promise.all(reads).then((found) =>
    found.map((bindings) => (bindings.length > maxSameContact ? [] : bindings)),
  );
}

/** Stores the last target of each side, in the order of their keys: two nodes then lock rows in the same order. */
export function storeTargets(store: LocationStore, batch: readonly DialogTarget[]): Promise<undefined[]> {
  const last = new Map(batch.map((target) => [target.sideId, target]));
  const inOrder = [...last].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, target]) => target);
  return store.storeDialogTargets(inOrder).then(() => batch.map(() => undefined));
}

/**
 * Commits the first change of each address of record that is not outdated. Later ones were planned on a version that is then outdated: they
 * conflict.
 */
export function commitFirstOfEach(
  store: LocationStore,
  changes: readonly BindingChange[],
  isOutdated: (change: BindingChange) => boolean,
): Promise<readonly CommitOutcome[]> {
  const first = new Map<string, number>();
  changes.forEach((change, i) => {
    const key = aorText(change.aor);
    if (!first.has(key) && !isOutdated(change)) first.set(key, i);
  });
  const order = [...first].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, i]) => i);
  const result = changes.map((): CommitOutcome => "conflict");
  if (order.length === 0) return Promise.resolve(result);
  return store.commit(order.map((i) => changes[i] as BindingChange)).then((outcomes) => {
    order.forEach((i, at) => {
      result[i] = outcomes[at] as CommitOutcome;
    });
    return result;
  });
}
