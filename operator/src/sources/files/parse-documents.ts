/**
 * The YAML documents of a file, each knowing the line of every path in it. Plain words mean what they mean to kubectl (YAML 1.1: `no` is
 * false, `0100` is 64), so that a file says the same here and there; but nothing is a date or a number of base 60, nor are there merge keys.
 */
import { isMap, isNode, isSeq, LineCounter, parseAllDocuments, type Document, type Tags } from "yaml";
import type { Path, Problem } from "./problem.ts";

export interface ParsedDocument {
  readonly file: string;
  readonly value: unknown;
  /** The line of what is at the path, or of the nearest thing around it that is there. */
  lineOf(path: Path): number;
}

export function parseDocuments(
  file: string,
  text: string,
): { readonly documents: readonly ParsedDocument[]; readonly problems: readonly Problem[] } {
  if (text.trim() === "") {
    const message =
      "the file is empty; expected an object (half written? To remove objects, remove the file)";
    return { documents: [], problems: [{ file, line: 1, message }] };
  }
  try {
    return parseText(file, text);
  } catch (error) {
    // The parser throws for what it will not unfold: too many aliases, too deep a nesting.
    return {
      documents: [],
      problems: [
        { file, line: 1, message: `no YAML that can be read: ${withoutContent((error as Error).message)}` },
      ],
    };
  }
}

function parseText(file: string, text: string): ReturnType<typeof parseDocuments> {
  const lineCounter = new LineCounter();
  const parsed = parseAllDocuments(text, {
    lineCounter,
    prettyErrors: false,
    version: "1.1",
    merge: false,
    customTags,
  });
  const list = Array.isArray(parsed) ? parsed : [];
  const problems = list.flatMap((document) =>
    [...document.errors, ...document.warnings].map(({ pos, message }) => ({
      file,
      line: lineCounter.linePos(pos[0]).line,
      message: `no YAML: ${withoutContent(message)}`,
    })),
  );
  if (problems.length > 0) return { documents: [], problems };
  const documents = list
    .filter((document) => document.contents !== null)
    .map((document) => ({
      file,
      value: document.toJS({ maxAliasCount: 50 }) as unknown,
      lineOf: (path: Path) => lineCounter.linePos(offsetOf(document, path)).line,
    }));
  return { documents, problems };
}

/** Without those that kubectl does not know. */
const customTags = (tags: Tags): Tags =>
  tags.filter(
    (tag) =>
      typeof tag !== "string" &&
      tag.format !== "TIME" &&
      !/:(timestamp|set|omap|pairs|binary|merge)$/.test(tag.tag),
  );

/** After a colon the parser quotes the file, and that may be a password. */
const withoutContent = (message: string): string => message.split(":")[0] ?? "";

function offsetOf(document: Document.Parsed, path: Path): number {
  let offset = document.contents?.range?.[0] ?? 0;
  let node: unknown = document.contents;
  for (const step of path) {
    const pair = isMap(node) ? node.items.find(({ key }) => String(key) === String(step)) : undefined;
    const item = isSeq(node) ? node.items[Number(step)] : undefined;
    const start = rangeOf(pair?.key ?? item);
    if (start === undefined) return offset;
    offset = start;
    node = pair?.value ?? item;
  }
  return offset;
}

const rangeOf = (node: unknown): number | undefined =>
  isNode(node) ? (node.range?.[0] ?? undefined) : undefined;
