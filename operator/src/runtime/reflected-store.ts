/** The cache of a reflector: objects by key, each in its latest known state. No input and no output. */
import { keyOfObject, type ObjectKey } from "./object.ts";
import { isLater } from "./resource-version.ts";

/** The metadata that a reflector needs. */
export interface Identified {
  readonly metadata: {
    readonly namespace?: string;
    readonly name: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
}

/** `replaced`: the object was deleted and another object of the same name was created, possibly without a watch event for either. */
export type StoreChange<T> =
  | { readonly is: "added"; readonly after: T }
  | { readonly is: "updated" | "replaced"; readonly before: T; readonly after: T }
  | { readonly is: "removed"; readonly before: T };

export class ReflectedStore<T extends Identified> {
  readonly #objects = new Map<ObjectKey, T>();
  /** While a list is read: objects in the state after our own write. A list that began before the write does not show it. */
  #learned: Set<ObjectKey> | undefined;

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(key);
  }

  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  /** A list begins. Objects that are learned from now on are later than this list. */
  listBegins(): void {
    this.#learned = new Set();
  }

  /** Stores a created or changed object. Returns undefined if this or a later state is known. */
  put(after: T): StoreChange<T> | undefined {
    const key = keyOfObject(after);
    const before = this.#objects.get(key);
    if (before !== undefined && !isLater(after.metadata.resourceVersion, before.metadata.resourceVersion))
      return undefined;
    this.#objects.set(key, after);
    return changeOf(before, after);
  }

  /** Stores the answer to our own write, before the watch reports it. Never adds an object that is gone. */
  learn(after: T): StoreChange<T> | undefined {
    const key = keyOfObject(after);
    const before = this.#objects.get(key);
    if (before === undefined || before.metadata.uid !== after.metadata.uid) return undefined;
    const change = this.put(after);
    if (change !== undefined) this.#learned?.add(key);
    return change;
  }

  /** Removes a deleted object; `last` is its last state. Returns undefined if it is unknown, or was created again since. */
  remove(last: T): StoreChange<T> | undefined {
    const key = keyOfObject(last);
    const before = this.#objects.get(key);
    if (before === undefined || isLater(before.metadata.resourceVersion, last.metadata.resourceVersion))
      return undefined;
    this.#objects.delete(key);
    return { is: "removed", before };
  }

  /** Replaces the content by a complete list. */
  replace(items: readonly T[]): readonly StoreChange<T>[] {
    const listed = new Map(items.map((item) => [keyOfObject(item), item]));
    const changes: StoreChange<T>[] = [];
    for (const [key, before] of this.#objects) {
      if (listed.has(key)) continue;
      this.#objects.delete(key);
      changes.push({ is: "removed", before });
    }
    for (const [key, after] of listed) {
      const before = this.#objects.get(key);
      if (before !== undefined && !this.#mayReplace(key, before, after)) continue;
      this.#objects.set(key, after);
      changes.push(changeOf(before, after));
    }
    this.#learned = undefined;
    return changes;
  }

  /** A list is valid even if its versions are lower than known ones: the API server's data may have been restored. */
  #mayReplace(key: ObjectKey, before: T, after: T): boolean {
    const [known, listed] = [before.metadata, after.metadata];
    if (known.uid === listed.uid && known.resourceVersion === listed.resourceVersion) return false;
    return this.#learned?.has(key) !== true || isLater(listed.resourceVersion, known.resourceVersion);
  }
}

function changeOf<T extends Identified>(before: T | undefined, after: T): StoreChange<T> {
  if (before === undefined) return { is: "added", after };
  return { is: before.metadata.uid === after.metadata.uid ? "updated" : "replaced", before, after };
}
