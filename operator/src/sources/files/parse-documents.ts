/**
 * Parses the YAML documents of a file, with the line of each path. Documents are split and scalars are read by kubectl's rules, so that a
 * file has the same meaning here and with kubectl (ADR 41). A part that is empty or has only comments is not a document.
 */
import { isMap, isNode, isSeq, LineCounter, parseAllDocuments, type Document } from "yaml";
import { readDocumentValue } from "./document-value.ts";
import type { Path, Problem } from "./problem.ts";
import { splitDocuments, type DocumentText } from "./split-documents.ts";

export interface ParsedDocument {
  readonly file: string;
  readonly value: unknown;
  /** The line of the value at the path, or of its nearest parent that exists. */
  lineOf(path: Path): number;
}

interface Parsed {
  readonly documents: readonly ParsedDocument[];
  readonly problems: readonly Problem[];
}

/** Invisible characters: those that kubectl's parser refuses as control characters, the line ends of YAML 1.1 only, and a byte order mark. */
const forbidden = /[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;

/** readDocumentValue resolves scalars and tags. */
const options = { prettyErrors: false, schema: "failsafe", resolveKnownTags: false } as const;

/** A file with a problem has no documents. */
export function parseDocuments(file: string, text: string): Parsed {
  if (text.trim() === "") {
    const message =
      "the file is empty; expected an object (perhaps it is half-written; to remove objects, remove the file)";
    return { documents: [], problems: [{ file, line: 1, message }] };
  }
  const parts = splitDocuments(text).map((part) => parseOne(file, part));
  const problems = parts.flatMap((part) => part.problems);
  return { documents: problems.length > 0 ? [] : parts.flatMap((part) => part.documents), problems };
}

function parseOne(file: string, part: DocumentText): Parsed {
  const failed = (line: number, message: string): Parsed => ({
    documents: [],
    problems: [{ file, line, message }],
  });
  if (isDirective(part.text))
    return failed(part.firstLine, "invalid YAML: a directive; kubectl does not support directives");
  if (part.problem !== undefined) return failed(part.firstLine - 1, `invalid YAML: ${part.problem}`);
  const control = part.text.search(forbidden);
  if (control >= 0) {
    const line = part.firstLine + part.text.slice(0, control).split("\n").length - 1;
    return failed(line, `invalid YAML: an invisible character (${codePoint(part.text, control)})`);
  }
  try {
    return parseText(file, part);
  } catch (error) {
    // The parser throws if the nesting is too deep.
    return failed(part.firstLine, `invalid YAML: ${withoutContent((error as Error).message)}`);
  }
}

function parseText(file: string, { text, firstLine }: DocumentText): Parsed {
  const lineCounter = new LineCounter();
  const parsed = parseAllDocuments(text, { ...options, lineCounter });
  const lineAt = (offset: number): number => lineCounter.linePos(offset).line + firstLine - 1;
  const list = "empty" in parsed ? [] : parsed;
  const problems: Problem[] = ("empty" in parsed ? [parsed] : list)
    .flatMap(({ errors, warnings }) => [...errors, ...warnings])
    // readDocumentValue checks tags and duplicate keys.
    .filter(({ code }) => code !== "TAG_RESOLVE_FAILED" && code !== "DUPLICATE_KEY")
    .map(({ pos, message }) => ({
      file,
      line: lineAt(pos[0]),
      message: `invalid YAML: ${withoutContent(message)}`,
    }));
  if (problems.length > 0) return { documents: [], problems };
  const documents: ParsedDocument[] = [];
  for (const document of list) {
    const read = readDocumentValue(document);
    if ("problem" in read) {
      problems.push({ file, line: lineAt(read.offset), message: `invalid YAML: ${read.problem}` });
    } else if (read.value !== null) {
      const lineOf = (path: Path): number => lineAt(offsetOf(document, path));
      documents.push({ file, value: read.value, lineOf });
    }
  }
  const [, second] = documents;
  if (second !== undefined) {
    const message = "invalid YAML: a document after `...`, which kubectl ignores; put --- before it";
    problems.push({ file, line: second.lineOf([]), message });
  }
  return { documents, problems };
}

/** For example `%YAML 1.2`: kubectl reads it as a separate document. */
const isDirective = (text: string): boolean =>
  text
    .split("\n")
    .find((line) => line.trim() !== "" && !line.startsWith("#"))
    ?.startsWith("%") === true;

const codePoint = (text: string, at: number): string =>
  `U+${(text.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

/** The text after a colon quotes the file, which may contain a password. */
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
