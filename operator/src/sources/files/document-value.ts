/**
 * What a document of YAML is as JSON, by kubectl's rules: plain words (`resolve-scalar.ts`), aliases copied, merge keys (`<<`) in the order
 * in which they stand. Stricter where kubectl takes away a part without a word: a key that is there twice, and a tag of one's own. Pure.
 */
import { isAlias, isMap, isScalar, isSeq, type Document, type Pair, type Scalar, type YAMLMap } from "yaml";
import { coreTag, resolveKey, resolveScalar, type ScalarSource, type Unreadable } from "./resolve-scalar.ts";

export type DocumentValue = { readonly value: unknown } | DocumentProblem;

export interface DocumentProblem extends Unreadable {
  /** Where in the text. */
  readonly offset: number;
}

/** So many values may come from aliases: a few bytes of them unfold without end. */
const mostCopies = 100_000;
/** The value of an anchor whose node is not read to its end. */
const open = Symbol("open");

/** The parser must have left scalars as texts (its schema `failsafe`). */
export function documentValue(document: Document.Parsed): DocumentValue {
  try {
    return { value: new Reader().read(document.contents) };
  } catch (error) {
    if (!(error instanceof Unread)) throw error;
    return { problem: error.message, offset: error.offset };
  }
}

class Unread extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

class Reader {
  readonly #anchors = new Map<string, unknown>();
  #copies = 0;

  read(node: unknown): unknown {
    if (isAlias(node)) return this.#aliased(node.source, offsetOf(node));
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, open);
    const value = this.#content(node);
    if (anchor !== undefined) this.#anchors.set(anchor, value);
    return value;
  }

  #content(node: unknown): unknown {
    if (hasOwnTag(node)) throw new Unread("a tag; put a text that begins with ! in quotes", offsetOf(node));
    if (isMap(node)) return this.#object(node);
    if (isSeq(node)) return node.items.map((item) => this.read(item));
    if (!isScalar(node)) return null;
    const value = resolveScalar(sourceOf(node));
    if (typeof value === "object" && value !== null) throw new Unread(value.problem, offsetOf(node));
    return value;
  }

  #object(map: YAMLMap): object {
    const fields = new Map<string, unknown>();
    const written = new Set<string>();
    for (const pair of map.items) {
      if (isMergeKey(pair)) {
        for (const [name, value] of this.#merged(pair)) fields.set(name, value);
        continue;
      }
      const name = this.#key(pair.key);
      if (written.has(name)) throw new Unread("a key is there twice", offsetOf(pair.key));
      written.add(name);
      fields.set(name, this.read(pair.value));
    }
    // A field may be called `__proto__`.
    return Object.fromEntries(fields);
  }

  #key(node: unknown): string {
    const value = isScalar(node) ? undefined : this.read(node);
    const name = isScalar(node) ? this.#scalarKey(node) : value;
    if (typeof name === "string") return name;
    throw new Unread("a key is no text", offsetOf(node));
  }

  #scalarKey(node: Scalar): string {
    if (hasOwnTag(node)) throw new Unread("a tag; put a text that begins with ! in quotes", offsetOf(node));
    const name = resolveKey(sourceOf(node));
    if (typeof name !== "string") throw new Unread(name.problem, offsetOf(node));
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, name);
    return name;
  }

  /** Of several objects the first that has a field gives it. */
  #merged({ key, value }: Pair): readonly [string, unknown][] {
    const given = this.read(value);
    const objects: readonly unknown[] = Array.isArray(given) ? given.toReversed() : [given];
    return objects.flatMap((object) => {
      if (typeof object === "object" && object !== null && !Array.isArray(object))
        return Object.entries(object);
      throw new Unread("<< needs an object, or a list of objects", offsetOf(key));
    });
  }

  #aliased(name: string, offset: number): unknown {
    const value = this.#anchors.get(name);
    if (value === undefined) throw new Unread("an alias has no anchor before it", offset);
    return this.#copy(value, offset);
  }

  #copy(value: unknown, offset: number): unknown {
    if (value === open) throw new Unread("an anchor contains itself", offset);
    if (++this.#copies > mostCopies) throw new Unread("aliases unfold to too many values", offset);
    if (Array.isArray(value)) return value.map((item) => this.#copy(item, offset));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([field, item]) => [field, this.#copy(item, offset)]),
    );
  }
}

/** kubectl leaves such a tag out: `password: !secret` is an empty password. One `!` alone says that it is a text. */
function hasOwnTag(node: unknown): boolean {
  const tag = isScalar(node) || isMap(node) || isSeq(node) ? (node.tag ?? "!") : "!";
  return tag !== "!" && !tag.startsWith(coreTag);
}

const isMergeKey = ({ key }: Pair): boolean =>
  isScalar(key) &&
  key.value === "<<" &&
  (key.tag === "tag:yaml.org,2002:merge" || (key.tag === undefined && key.type === "PLAIN"));

const sourceOf = (node: Scalar): ScalarSource => ({
  text: typeof node.value === "string" ? node.value : "",
  isPlain: node.type === undefined || node.type === "PLAIN",
  tag: node.tag,
});

const offsetOf = (node: unknown): number =>
  (isAlias(node) || isScalar(node) || isMap(node) || isSeq(node) ? node.range?.[0] : undefined) ?? 0;
