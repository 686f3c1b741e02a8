/** What a reflector holds: objects by key, each as the latest state that was heard of. No input and no output. */
import { keyOfObject, type ObjectKey } from "./object.ts";
import { isLater } from "./resource-version.ts";

/** What every object has that is listed and watched. Objects without a namespace have keys that begin with "/". */
export interface Identified {
  readonly metadata: {
    readonly namespace?: string;
    readonly name: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
}

/** `replaced`: the object went, and another one of the same name came; nobody may have heard of either. */
export type StoreChange<T> =
  | { readonly is: "added"; readonly after: T }
  | { readonly is: "updated" | "replaced"; readonly before: T; readonly after: T }
  | { readonly is: "removed"; readonly before: T };

export class ReflectedStore<T extends Identified> {
  readonly #objects = new Map<ObjectKey, T>();
  /** Objects that are as a write of our own left them, which a list that began before does not show. */
  readonly #learned = new Set<ObjectKey>();

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(key);
  }

  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  /** What is learned from here on is later than the list that begins now. */
  listBegins(): void {
    this.#learned.clear();
  }

  /** An object that was made or changed. Nothing, where this or a later state is known. */
  put(after: T): StoreChange<T> | undefined {
    const key = keyOfObject(after);
    const before = this.#objects.get(key);
    if (before !== undefined && !isLater(after.metadata.resourceVersion, before.metadata.resourceVersion))
      return undefined;
    this.#objects.set(key, after);
    return changeOf(before, after);
  }

  /** The answer to a write of our own: the watch tells the same later, or something later still. Never brings back what is gone. */
  learn(after: T): StoreChange<T> | undefined {
    const key = keyOfObject(after);
    const before = this.#objects.get(key);
    if (before === undefined || before.metadata.uid !== after.metadata.uid) return undefined;
    const change = this.put(after);
    if (change !== undefined) this.#learned.add(key);
    return change;
  }

  /** An object that is gone, as it last was. Nothing, where it is not known or was made anew since. */
  remove(last: T): StoreChange<T> | undefined {
    const key = keyOfObject(last);
    const before = this.#objects.get(key);
    if (before === undefined || isLater(before.metadata.resourceVersion, last.metadata.resourceVersion))
      return undefined;
    this.#objects.delete(key);
    return { is: "removed", before };
  }

  /** Everything that there is. */
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
    return changes;
  }

  /** A list counts even where its versions are lower than known ones: the API server's data may have been restored. */
  #mayReplace(key: ObjectKey, before: T, after: T): boolean {
    const [known, listed] = [before.metadata, after.metadata];
    if (known.uid === listed.uid && known.resourceVersion === listed.resourceVersion) return false;
    return !this.#learned.has(key) || isLater(listed.resourceVersion, known.resourceVersion);
  }
}

function changeOf<T extends Identified>(before: T | undefined, after: T): StoreChange<T> {
  if (before === undefined) return { is: "added", after };
  return { is: before.metadata.uid === after.metadata.uid ? "updated" : "replaced", before, after };
}
