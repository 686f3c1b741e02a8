/**
 * The YAML documents of a file, each knowing the line of every path in it. A file means what it means to kubectl, so that it says the same
 * here and there (ADR 41): documents are cut and scalars are read by its rules. What is empty or holds nothing but comments is no document.
 */
import { isMap, isNode, isSeq, LineCounter, parseAllDocuments, type Document } from "yaml";
import { documentValue } from "./document-value.ts";
import type { Path, Problem } from "./problem.ts";
import { splitDocuments, type DocumentText } from "./split-documents.ts";

export interface ParsedDocument {
  readonly file: string;
  readonly value: unknown;
  /** The line of what is at the path, or of the nearest thing around it that is there. */
  lineOf(path: Path): number;
}

interface Parsed {
  readonly documents: readonly ParsedDocument[];
  readonly problems: readonly Problem[];
}

/** What kubectl's parser refuses as a control character; the ends of a line that only YAML 1.1 knows, and a byte order mark: nobody sees them. */
const forbidden = /[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;

/** Scalars and tags are left to documentValue. */
const options = { prettyErrors: false, schema: "failsafe", resolveKnownTags: false } as const;

/** Where the file has a problem, there are no documents of it. */
export function parseDocuments(file: string, text: string): Parsed {
  if (text.trim() === "") {
    const message =
      "the file is empty; expected an object (half written? To remove objects, remove the file)";
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
  if (isDirective(part.text)) return failed(part.firstLine, "no YAML: a directive; kubectl reads none");
  if (part.problem !== undefined) return failed(part.firstLine - 1, `no YAML: ${part.problem}`);
  const control = part.text.search(forbidden);
  if (control >= 0) {
    const line = part.firstLine + part.text.slice(0, control).split("\n").length - 1;
    return failed(line, `no YAML: a character that cannot be seen (${codePoint(part.text, control)})`);
  }
  try {
    return parseText(file, part);
  } catch (error) {
    // The parser throws for too deep a nesting.
    return failed(part.firstLine, `no YAML that can be read: ${withoutContent((error as Error).message)}`);
  }
}

function parseText(file: string, { text, firstLine }: DocumentText): Parsed {
  const lineCounter = new LineCounter();
  const parsed = parseAllDocuments(text, { ...options, lineCounter });
  const lineAt = (offset: number): number => lineCounter.linePos(offset).line + firstLine - 1;
  const list = "empty" in parsed ? [] : parsed;
  const problems: Problem[] = ("empty" in parsed ? [parsed] : list)
    .flatMap(({ errors, warnings }) => [...errors, ...warnings])
    // A tag that the parser does not know: documentValue knows it, or leaves it out as kubectl does.
    .filter(({ code }) => code !== "TAG_RESOLVE_FAILED" && code !== "DUPLICATE_KEY")
    .map(({ pos, message }) => ({
      file,
      line: lineAt(pos[0]),
      message: `no YAML: ${withoutContent(message)}`,
    }));
  if (problems.length > 0) return { documents: [], problems };
  const documents: ParsedDocument[] = [];
  for (const document of list) {
    const read = documentValue(document);
    if ("problem" in read) {
      problems.push({ file, line: lineAt(read.offset), message: `no YAML: ${read.problem}` });
    } else if (read.value !== null) {
      const lineOf = (path: Path): number => lineAt(offsetOf(document, path));
      documents.push({ file, value: read.value, lineOf });
    }
  }
  const [, second] = documents;
  if (second !== undefined) {
    const message = "no YAML: a document after `...`, which kubectl leaves out; put --- before it";
    problems.push({ file, line: second.lineOf([]), message });
  }
  return { documents, problems };
}

/** Such as `%YAML 1.2`: kubectl takes it for a document of its own. */
const isDirective = (text: string): boolean =>
  text
    .split("\n")
    .find((line) => line.trim() !== "" && !line.startsWith("#"))
    ?.startsWith("%") === true;

const codePoint = (text: string, at: number): string =>
  `U+${(text.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

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
