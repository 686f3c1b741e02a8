/**
 * Converts a YAML document to a JSON value by kubectl's rules: plain scalars (`resolve-scalar.ts`), copies for aliases, merge keys (`<<`) in
 * the order of the file. It refuses two things that kubectl drops silently: a duplicate key, and a custom tag. Pure.
 */
import { isAlias, isMap, isScalar, isSeq, type Document, type Pair, type Scalar, type YAMLMap } from "yaml";
import {
  coreTag,
  resolveKey,
  resolveScalar,
  type ScalarSource,
  type ScalarProblem,
} from "./resolve-scalar.ts";

type DocumentValue = { readonly value: unknown } | DocumentProblem;

interface DocumentProblem extends ScalarProblem {
  /** The position in the text. */
  readonly offset: number;
}

/** The maximum number of values that come from aliases. Without a limit, a small file could expand to a huge value. */
const maxCopies = 100_000;
/** The value of an anchor while its node is being read. */
const incomplete = Symbol("incomplete");

/** The document must be parsed with the schema `failsafe`, which leaves scalars as strings. */
export function readDocumentValue(document: Document.Parsed): DocumentValue {
  try {
    return { value: new Reader().read(document.contents) };
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    return { problem: error.message, offset: error.offset };
  }
}

class DocumentError extends Error {
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
    if (isAlias(node)) return this.#readAlias(node.source, offsetOf(node));
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, incomplete);
    const value = this.#readContent(node);
    if (anchor !== undefined) this.#anchors.set(anchor, value);
    return value;
  }

  #readContent(node: unknown): unknown {
    if (hasCustomTag(node))
      throw new DocumentError("a custom tag; put a text that begins with ! in quotes", offsetOf(node));
    if (isMap(node)) return this.#readMap(node);
    if (isSeq(node)) return node.items.map((item) => this.read(item));
    if (!isScalar(node)) return null;
    const value = resolveScalar(sourceOf(node));
    if (typeof value === "object" && value !== null) throw new DocumentError(value.problem, offsetOf(node));
    return value;
  }

  #readMap(map: YAMLMap): object {
    const fields = new Map<string, unknown>();
    const keys = new Set<string>();
    for (const pair of map.items) {
      if (isMergeKey(pair)) {
        for (const [name, value] of this.#readMergeKey(pair)) fields.set(name, value);
        continue;
      }
      const name = this.#readKey(pair.key);
      if (keys.has(name)) throw new DocumentError("a duplicate key", offsetOf(pair.key));
      keys.add(name);
      fields.set(name, this.read(pair.value));
    }
    // fromEntries is safe for a field with the name `__proto__`.
    return Object.fromEntries(fields);
  }

  #readKey(node: unknown): string {
    const value = isScalar(node) ? undefined : this.read(node);
    const name = isScalar(node) ? this.#readScalarKey(node) : value;
    if (typeof name === "string") return name;
    throw new DocumentError("a key is not a string", offsetOf(node));
  }

  #readScalarKey(node: Scalar): string {
    if (hasCustomTag(node))
      throw new DocumentError("a custom tag; put a text that begins with ! in quotes", offsetOf(node));
    const name = resolveKey(sourceOf(node));
    if (typeof name !== "string") throw new DocumentError(name.problem, offsetOf(node));
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, name);
    return name;
  }

  /** If several objects have the same field, the first one takes precedence. */
  #readMergeKey({ key, value }: Pair): readonly [string, unknown][] {
    const merged = this.read(value);
    const objects: readonly unknown[] = Array.isArray(merged) ? merged.toReversed() : [merged];
    return objects.flatMap((object) => {
      if (typeof object === "object" && object !== null && !Array.isArray(object))
        return Object.entries(object);
      throw new DocumentError("<< needs an object, or a list of objects", offsetOf(key));
    });
  }

  #readAlias(name: string, offset: number): unknown {
    const value = this.#anchors.get(name);
    if (value === undefined) throw new DocumentError("an alias has no anchor before it", offset);
    return this.#copy(value, offset);
  }

  #copy(value: unknown, offset: number): unknown {
    if (value === incomplete) throw new DocumentError("an anchor contains itself", offset);
    if (++this.#copies > maxCopies) throw new DocumentError("aliases expand to too many values", offset);
    if (Array.isArray(value)) return value.map((item) => this.#copy(item, offset));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([field, item]) => [field, this.#copy(item, offset)]),
    );
  }
}

/** kubectl ignores a custom tag: `password: !secret` would be an empty password. A single `!` marks a string. */
function hasCustomTag(node: unknown): boolean {
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
