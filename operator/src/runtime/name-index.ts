/**
 * An index from names to the objects of a kind that request them, so that a rule between objects does not need to read all objects. It is
 * built at the first use, and then updated with each change.
 */
import { keyOfObject, type KubernetesObject, type ObjectKey } from "./object.ts";
import type { Change, Source } from "./source.ts";

export class NameIndex {
  readonly #source: Pick<Source, "get" | "list">;
  readonly #kind: string;
  readonly #namesOf: (object: KubernetesObject) => readonly string[];
  /** A name that one object requests, which is the usual case, has no set. */
  #keys: Map<string, ObjectKey | Set<ObjectKey>> | undefined;
  readonly #names = new Map<ObjectKey, readonly string[]>();

  constructor(
    source: Pick<Source, "get" | "list">,
    kind: string,
    namesOf: (object: KubernetesObject) => readonly string[],
  ) {
    this.#source = source;
    this.#kind = kind;
    this.#namesOf = namesOf;
  }

  /** Call it for every change, of every kind. */
  update({ kind, key, what }: Change): void {
    if (this.#keys === undefined || kind !== this.#kind || what !== "object") return;
    this.#remove(this.#keys, key);
    const object = this.#source.get(kind, key);
    if (object !== undefined) this.#add(this.#keys, key, object);
  }

  /** The objects that request this name, from the cache. */
  find(name: string): readonly KubernetesObject[] {
    return this.findKeys(name).flatMap((key) => this.#source.get(this.#kind, key) ?? []);
  }

  /** The keys of the objects that request this name. */
  findKeys(name: string): readonly ObjectKey[] {
    this.#keys ??= this.#build();
    const found = this.#keys.get(name) ?? [];
    return typeof found === "string" ? [found] : [...found];
  }

  #build(): Map<string, ObjectKey | Set<ObjectKey>> {
    const keys = new Map<string, ObjectKey | Set<ObjectKey>>();
    for (const object of this.#source.list(this.#kind)) this.#add(keys, keyOfObject(object), object);
    return keys;
  }

  #add(keys: Map<string, ObjectKey | Set<ObjectKey>>, key: ObjectKey, object: KubernetesObject): void {
    const names = this.#namesOf(object);
    this.#names.set(key, names);
    for (const name of names) {
      const found = keys.get(name);
      if (found === undefined) keys.set(name, key);
      else if (typeof found === "string") keys.set(name, new Set([found, key]));
      else found.add(key);
    }
  }

  #remove(keys: Map<string, ObjectKey | Set<ObjectKey>>, key: ObjectKey): void {
    for (const name of this.#names.get(key) ?? []) {
      const found = keys.get(name);
      if (typeof found === "string") {
        if (found === key) keys.delete(name);
        continue;
      }
      found?.delete(key);
      if (found?.size === 0) keys.delete(name);
    }
    this.#names.delete(key);
  }
}
