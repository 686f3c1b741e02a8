/**
 * A folder of YAML files as the source of objects. A valid object is used at once. An invalid object keeps its last valid version. An object
 * counts as absent only after two successive reads, `confirmMs` apart, that had no problem and were equal, so that a half-written file
 * deletes nothing.
 */
import { isDeepStrictEqual } from "node:util";
import { type KubernetesObject, type ObjectKey } from "../../runtime/object.ts";
import type { Change, Event, Existence, Secret, Source } from "../../runtime/source.ts";
import { GeneratedSecrets } from "./generated-secrets.ts";
import type { Problem } from "./problem.ts";
import {
  readObjects,
  sameObjects,
  type FileObject,
  type StoredSpecs,
  type ReadResult,
} from "./read-objects.ts";
import { watchFolder } from "./watch-folder.ts";

export interface FilesListener {
  changed(change: Change): void;
  /** The absence of objects is confirmed: those that are not in the folder were removed on purpose. */
  settled(): void;
  /** An Event, which the API server would store on Kubernetes. */
  event(
    object: { readonly kind: string; readonly namespace: string; readonly name: string },
    event: Event,
  ): void;
  /** The folder's problems changed; empty: there are none any more. */
  problems(problems: readonly Problem[]): void;
}

/** The time between the two reads that prove an absence. */
const confirmMs = 700;

interface Stored {
  readonly file: FileObject;
  readonly generation: number;
  /** The last status of each writer. */
  readonly statuses?: Readonly<Partial<Record<StatusWriterName, object>>>;
}

export class FilesSource implements Source {
  readonly #directory: string;
  readonly #readStoredSpecs: () => Promise<StoredSpecs>;
  readonly #generatedSecrets: GeneratedSecrets;
  readonly #stored = new Map<string, Stored>();
  #listener: FilesListener | undefined;
  #problems: readonly Problem[] = [];
  /** The last read, if it had no problem, and the time (performance.now) of the first read that was equal to it. */
  #lastValid: { readonly result: ReadResult; readonly since: number } | undefined;
  #isSettled = false;
  #isReading = false;
  #isStale = false;
  #unwatch: () => void = () => undefined;
  #confirmTimer: NodeJS.Timeout | undefined;

  /** `dataFolder` has the generated passwords. `readStoredSpecs` is called before each read; if it fails, immutable fields are not checked. */
  constructor(directory: string, dataFolder: string, readStoredSpecs: () => Promise<StoredSpecs>) {
    this.#directory = directory;
    this.#readStoredSpecs = readStoredSpecs;
    this.#generatedSecrets = new GeneratedSecrets(dataFolder);
  }

  /** Resolves after the first read. */
  async start(listener: FilesListener): Promise<void> {
    this.#listener = listener;
    await this.#read();
    this.#unwatch = watchFolder(this.#directory, () => this.#readInBackground());
  }

  stop(): void {
    this.#unwatch();
    clearTimeout(this.#confirmTimer);
    this.#listener = undefined;
  }

  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** True if the absence of objects is confirmed. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Every object except Secrets, with its status: for /status, because there is no Kubernetes API. */
  describe(): readonly unknown[] {
    return [...this.#stored.values()]
      .filter(({ file }) => file.kind !== "Secret")
      .map(({ file: { kind, namespace, name }, generation, statuses }) => ({
        kind,
        namespace,
        name,
        generation,
        status: statuses && statusOf(statuses),
      }));
  }

  get(kind: string, key: ObjectKey): KubernetesObject | undefined {
    const stored = this.#stored.get(idOf(kind, key));
    return stored === undefined ? undefined : asObject(stored);
  }

  list(kind: string): readonly KubernetesObject[] {
    return [...this.#stored.values()].filter(({ file }) => file.kind === kind).map(asObject);
  }

  existence(kind: string, key: ObjectKey): Promise<Existence> {
    const stored = this.#stored.get(idOf(kind, key));
    if (stored !== undefined) return Promise.resolve({ is: "present", uid: uidOf(stored.file) });
    return Promise.resolve(
      this.#isSettled
        ? { is: "absent" }
        : { is: "unknown", why: "the folder has invalid files, or its reads are not confirmed yet" },
    );
  }

  /** A folder has no Namespace objects, so no label selector matches. */
  namespaceLabels(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** A file cannot have a finalizer. The sweep deletes the rows of a removed object. */
  setFinalizer(): Promise<void> {
    return Promise.resolve();
  }

  event({ kind, metadata: { namespace, name } }: KubernetesObject, event: Event): void {
    this.#listener?.event({ kind, namespace, name }, event);
  }

  async secret(key: ObjectKey): Promise<Secret | undefined> {
    const stored = this.#stored.get(idOf("Secret", key));
    return stored === undefined ? this.#generatedSecrets.get(key) : { data: stored.file.data };
  }

  secretVersion(): undefined {
    return undefined;
  }

  async createSecret(
    key: ObjectKey,
    data: Readonly<Record<string, string>>,
    generatedFor: string,
  ): Promise<Secret | undefined> {
    await this.#generatedSecrets.create(key, { data, generatedFor });
    return this.secret(key);
  }

  async removeSecret(key: ObjectKey, generatedFor: string): Promise<void> {
    await this.#generatedSecrets.remove(key, generatedFor);
  }

  writeStatus(kind: string, key: ObjectKey, status: unknown, writer: StatusWriterName): Promise<void> {
    const id = idOf(kind, key);
    const stored = this.#stored.get(id);
    if (stored !== undefined) {
      const statuses = { ...stored.statuses, [writer]: status as object };
      this.#stored.set(id, { ...stored, statuses });
      this.#listener?.changed({ kind, key, what: "status" });
    }
    return Promise.resolve();
  }

  /** Only one read runs at a time. A change during a read starts another one after it. */
  async #read(): Promise<void> {
    this.#isStale = true;
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        const storedSpecs = await this.#readStoredSpecs().catch(() => new Map());
        this.#apply(await readObjects(this.#directory, storedSpecs));
      }
    } finally {
      this.#isReading = false;
    }
  }

  /** An error of a background read becomes a problem of the folder. The next change starts another read. */
  #readInBackground(): void {
    this.#read().catch((error: unknown) => {
      const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
      this.#apply({ objects: [], problems: [{ file: this.#directory, line: 1, message }] });
    });
  }

  #apply(result: ReadResult): void {
    for (const file of result.objects) this.#store(file);
    if (!isDeepStrictEqual(result.problems, this.#problems)) {
      this.#problems = result.problems;
      this.#listener?.problems(result.problems);
    }
    this.#isSettled = this.#confirmAbsences(result);
    if (this.#isSettled) this.#removeAbsent(result);
  }

  /** True if this read is equal to one that is at least `confirmMs` old. Otherwise, if it has no problem, another read is scheduled. */
  #confirmAbsences(result: ReadResult): boolean {
    clearTimeout(this.#confirmTimer);
    const now = performance.now();
    if (result.problems.length > 0) this.#lastValid = undefined;
    else if (this.#lastValid === undefined || !sameObjects(result, this.#lastValid.result))
      this.#lastValid = { result, since: now };
    if (this.#lastValid === undefined) return false;
    const remaining = this.#lastValid.since + confirmMs - now;
    if (remaining <= 0) return true;
    this.#confirmTimer = setTimeout(() => this.#readInBackground(), remaining + 1);
    return false;
  }

  #store(file: FileObject): void {
    const id = idOf(file.kind, file.key);
    const before = this.#stored.get(id);
    if (before !== undefined && isDeepStrictEqual(before.file, file)) return;
    const isSameSpec = before !== undefined && isDeepStrictEqual(before.file.spec, file.spec);
    const generation = (before?.generation ?? 0) + (isSameSpec ? 0 : 1);
    this.#stored.set(id, { ...before, file, generation });
    this.#listener?.changed({ kind: file.kind, key: file.key, what: "object" });
  }

  #removeAbsent(result: ReadResult): void {
    const present = new Set(result.objects.map(({ kind, key }) => idOf(kind, key)));
    for (const [id, { file }] of this.#stored) {
      if (present.has(id)) continue;
      this.#stored.delete(id);
      this.#listener?.changed({ kind: file.kind, key: file.key, what: "object" });
    }
    this.#listener?.settled();
  }
}

const idOf = (kind: string, key: ObjectKey): string => `${kind} ${key}`;

const uidOf = ({ kind, key }: FileObject): string => `files:${kind}/${key}`;

type StatusWriterName = Parameters<Source["writeStatus"]>[3];

const statusOf = ({ status, registrations }: NonNullable<Stored["statuses"]>): object => ({
  ...registrations,
  ...status,
});

const asObject = ({ file, generation, statuses }: Stored): KubernetesObject => ({
  kind: file.kind,
  metadata: {
    namespace: file.namespace,
    name: file.name,
    uid: uidOf(file),
    generation,
    labels: file.labels,
    annotations: file.annotations,
  },
  spec: file.spec,
  ...(statuses === undefined ? {} : { status: statusOf(statuses) }),
});
