/** Reads all objects of a folder of YAML files, and all problems. */
import { createHash } from "node:crypto";
import { lstat, readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { keyOf, type ObjectKey } from "../../runtime/object.ts";
import { admit, identify, type AdmittedObject } from "./admit.ts";
import { parseDocuments, type ParsedDocument } from "./parse-documents.ts";
import { byFileAndLine, type Problem } from "./problem.ts";

/** An object of a file. In a Secret `spec` is undefined, and `data` has the decoded values. */
export interface FileObject {
  readonly kind: string;
  readonly key: ObjectKey;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: unknown;
  readonly data: Readonly<Record<string, string>>;
}

export interface ReadResult {
  /** The valid objects in the order of their files, without duplicates. */
  readonly objects: readonly FileObject[];
  /** Sorted by file and line. Empty: an object that is not in `objects` was removed on purpose. */
  readonly problems: readonly Problem[];
}

/** The immutable fields of objects with rows in the database, as they were when the rows were made. The keys are `Kind namespace/name`. */
export type StoredSpecs = ReadonlyMap<string, unknown>;

const maxFileBytes = 16 * 1024 * 1024;

/** Never throws: a folder or file that cannot be read is a problem in the result. */
export async function readObjects(directory: string, stored: StoredSpecs = new Map()): Promise<ReadResult> {
  const problems: Problem[] = [];
  const objects = new Map<string, FileObject>();
  const places = new Map<string, string>();
  for (const document of await readDocuments(directory, problems)) {
    const identity = identify(document.value);
    const id =
      identity === undefined ? undefined : `${identity.kind} ${keyOf(identity.namespace, identity.name)}`;
    const place = `${document.file}:${document.lineOf([])}`;
    const first = id === undefined ? undefined : places.get(id);
    if (id !== undefined && first !== undefined) {
      problems.push({
        file: document.file,
        line: document.lineOf(["metadata"]),
        message: `${id} is defined twice; the first definition is at ${first}`,
      });
      objects.delete(id);
      continue;
    }
    if (id !== undefined) places.set(id, place);
    const admitted = admit(document.value, id === undefined ? undefined : stored.get(id));
    if (!("kind" in admitted)) {
      const prefix = id === undefined ? "" : `${id}: `;
      for (const { path, message } of admitted)
        problems.push({ file: document.file, line: document.lineOf(path), message: prefix + message });
      continue;
    }
    const object = toFileObject(admitted, document, problems);
    if (id !== undefined && object !== undefined) objects.set(id, object);
  }
  return { objects: [...objects.values()], problems: problems.sort(byFileAndLine) };
}

/** A hash of the files' names, sizes and times. It changes when a file may have changed. */
export async function fingerprint(directory: string): Promise<string> {
  const hash = createHash("sha256");
  const { paths } = await yamlFiles(directory).catch(() => noFiles);
  for (const file of paths) {
    const found = await stat(file).catch(() => undefined);
    hash.update(`${file} ${found?.size} ${found?.mtimeMs} ${found?.ino}\n`);
  }
  return hash.digest("hex");
}

/** True if two reads have the same objects and problems. */
export const sameObjects = (a: ReadResult, b: ReadResult): boolean => isDeepStrictEqual(a, b);

async function readDocuments(directory: string, problems: Problem[]): Promise<readonly ParsedDocument[]> {
  const listed = await yamlFiles(directory).catch((error: Error) => error);
  if (listed instanceof Error) {
    problems.push({ file: directory, line: 1, message: `cannot be read: ${listed.message}` });
    return [];
  }
  const { paths, unreadable, isForKubectl } = listed;
  for (const problem of unreadable) problems.push(problem);
  if (paths.length === 0 && unreadable.length === 0) {
    const message = isForKubectl
      ? "this folder has a kustomization.yaml, so it is for kubectl; use a folder without one"
      : "no *.yaml or *.yml file in this folder; no object is removed because of that";
    problems.push({ file: directory, line: 1, message });
  }
  const documents: ParsedDocument[] = [];
  for (const path of paths) {
    const file = relative(process.cwd(), path).startsWith("..") ? path : relative(process.cwd(), path);
    const text = await readText(path).catch((error: Error) => error);
    if (text instanceof Error) {
      problems.push({ file, line: 1, message: `cannot be read: ${text.message}` });
      continue;
    }
    const parsed = parseDocuments(file, text);
    for (const document of parsed.documents) documents.push(document);
    for (const problem of parsed.problems) problems.push(problem);
  }
  return documents;
}

async function readText(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > maxFileBytes) throw new Error(`it has ${size} bytes; expected at most ${maxFileBytes}`);
  return decodeUtf8(await readFile(path));
}

/** A byte order mark is kept. A file in another encoding is refused, because its names would be decoded wrongly. */
function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error("it is not UTF-8; save it as UTF-8");
  }
}

interface YamlFiles {
  /** Sorted. */
  readonly paths: readonly string[];
  /** Entries that cannot be read, for example a broken symbolic link. They may stand for objects. */
  readonly unreadable: readonly Problem[];
  readonly isForKubectl: boolean;
}

const noFiles: YamlFiles = { paths: [], unreadable: [], isForKubectl: false };

/**
 * Skips names that begin with a dot (also the hidden folders of a mounted ConfigMap), and folders with a kustomization.yaml, which are for
 * kubectl.
 */
async function yamlFiles(directory: string): Promise<YamlFiles> {
  const entries = await readdir(directory);
  if (entries.includes("kustomization.yaml")) return { ...noFiles, isForKubectl: true };
  const paths: string[] = [];
  const unreadable: Problem[] = [];
  for (const entry of entries.filter((name) => !name.startsWith("."))) {
    const path = join(directory, entry);
    const kind = await stat(path).catch((error: Error) => error);
    if (kind instanceof Error) {
      // A file that was removed since readdir is not a problem; a broken symbolic link is.
      const link = await lstat(path).catch(() => undefined);
      if (link !== undefined)
        unreadable.push({ file: path, line: 1, message: `cannot be read: ${kind.message}` });
    } else if (kind.isDirectory()) {
      const below = await yamlFiles(path);
      for (const file of below.paths) paths.push(file);
      for (const problem of below.unreadable) unreadable.push(problem);
    } else if (kind.isFile() && /\.ya?ml$/.test(entry)) paths.push(path);
  }
  return { paths: paths.sort(), unreadable, isForKubectl: false };
}

function toFileObject(
  { kind, metadata, spec, data, stringData }: AdmittedObject,
  document: ParsedDocument,
  problems: Problem[],
): FileObject | undefined {
  const decoded = new Map<string, string>();
  for (const [name, value] of Object.entries(data ?? {})) {
    if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(value)) {
      const message = `Secret ${metadata.name}: data.${name} is not base64; plain text belongs under stringData`;
      problems.push({ file: document.file, line: document.lineOf(["data", name]), message });
      return undefined;
    }
    decoded.set(name, Buffer.from(value, "base64").toString("utf8"));
  }
  const { namespace, name, labels = {}, annotations = {} } = metadata;
  const key = keyOf(namespace, name);
  const plain = { ...Object.fromEntries(decoded), ...stringData };
  return { kind, key, namespace, name, labels, annotations, spec, data: plain };
}
