/** All objects of a folder of YAML files, and one report of everything that is wrong with it. */
import { createHash } from "node:crypto";
import { lstat, readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { keyOf, type ObjectKey } from "../../runtime/object.ts";
import { admit, identify, type Admitted } from "./admit.ts";
import { parseDocuments, type ParsedDocument } from "./parse-documents.ts";
import { byPlace, type Problem } from "./problem.ts";

/** An object of a file; of a Secret the `spec` is undefined and `data` holds the decoded values. */
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
  /** Valid objects in the order of their files; none twice. */
  readonly objects: readonly FileObject[];
  /** In the order of files and lines. Empty: what is not among the objects is absent on purpose. */
  readonly problems: readonly Problem[];
}

/** The immutable fields of objects as they were when their rows were made, by `Kind namespace/name`. */
export type KeptSpecs = ReadonlyMap<string, unknown>;

const longestFile = 16 * 1024 * 1024;

/** Never throws: a folder or file that cannot be read is a problem among the others. */
export async function readObjects(directory: string, kept: KeptSpecs = new Map()): Promise<ReadResult> {
  const problems: Problem[] = [];
  const objects = new Map<string, FileObject>();
  const places = new Map<string, string>();
  for (const document of await readDocuments(directory, problems)) {
    const named = identify(document.value);
    const id = named === undefined ? undefined : `${named.kind} ${keyOf(named.namespace, named.name)}`;
    const place = `${document.file}:${document.lineOf([])}`;
    const first = id === undefined ? undefined : places.get(id);
    if (id !== undefined && first !== undefined) {
      problems.push({
        file: document.file,
        line: document.lineOf(["metadata"]),
        message: `${id} is there twice; the first is at ${first}`,
      });
      objects.delete(id);
      continue;
    }
    if (id !== undefined) places.set(id, place);
    const admitted = admit(document.value, id === undefined ? undefined : kept.get(id));
    if (!("kind" in admitted)) {
      const who = id === undefined ? "" : `${id}: `;
      for (const { path, message } of admitted)
        problems.push({ file: document.file, line: document.lineOf(path), message: who + message });
      continue;
    }
    const object = fileObject(admitted, document, problems);
    if (id !== undefined && object !== undefined) objects.set(id, object);
  }
  return { objects: [...objects.values()], problems: problems.sort(byPlace) };
}

/** What changes whenever a file of the folder may have: a hash of names, sizes and times. */
export async function fingerprint(directory: string): Promise<string> {
  const hash = createHash("sha256");
  const { paths } = await yamlFiles(directory).catch(() => noFiles);
  for (const file of paths) {
    const found = await stat(file).catch(() => undefined);
    hash.update(`${file} ${found?.size} ${found?.mtimeMs} ${found?.ino}\n`);
  }
  return hash.digest("hex");
}

/** Whether two reads saw the same objects. */
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
      ? "this folder has a kustomization.yaml, it is for kubectl; name a folder without one"
      : "no *.yaml or *.yml file in this folder; nobody is removed for that";
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
  if (size > longestFile) throw new Error(`it has ${size} bytes; expected at most ${longestFile}`);
  return decodeUtf8(await readFile(path));
}

/** The byte order mark is kept. A file in another encoding is refused: its names would be others. */
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
  /** What is there and leads nowhere: there may be objects behind it. */
  readonly unreadable: readonly Problem[];
  readonly isForKubectl: boolean;
}

const noFiles: YamlFiles = { paths: [], unreadable: [], isForKubectl: false };

/**
 * Names that begin with a dot are left out (also the hidden folders of a mounted ConfigMap), and so are folders with a kustomization.yaml:
 * those are for kubectl.
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
      // A file that an editor has taken away since is no problem, a link that leads nowhere is.
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

function fileObject(
  { kind, metadata, spec, data, stringData }: Admitted,
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
