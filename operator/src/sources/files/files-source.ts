/**
 * A folder of YAML files as the source of objects. What is valid is taken in at once. What is not stays as it was last valid, and nothing
 * counts as absent before two reads in a row, a moment apart, were valid throughout and agreed: a half-written file deletes nobody.
 */
import { isDeepStrictEqual } from "node:util";
import { type KubernetesObject, type ObjectKey } from "../../runtime/object.ts";
import type { Change, Event, Presence, Secret, Source } from "../../runtime/source.ts";
import { GeneratedSecrets } from "./generated-secrets.ts";
import type { Problem } from "./problem.ts";
import {
  readObjects,
  sameObjects,
  type FileObject,
  type KeptSpecs,
  type ReadResult,
} from "./read-objects.ts";
import { watchFolder } from "./watch-folder.ts";

export interface FilesListener {
  changed(change: Change): void;
  /** What is absent from the folder is absent on purpose. */
  settled(): void;
  /** What the API server would keep as an Event. */
  event(
    object: { readonly kind: string; readonly namespace: string; readonly name: string },
    event: Event,
  ): void;
  /** The folder's problems are others than before; empty: all is well again. */
  problems(problems: readonly Problem[]): void;
}

/** Between the two reads that prove an absence. */
const confirmMs = 700;

interface Stored {
  readonly file: FileObject;
  readonly generation: number;
  /** What each writer said last. */
  readonly statuses?: Readonly<Partial<Record<StatusWriterName, object>>>;
}

export class FilesSource implements Source {
  readonly #directory: string;
  readonly #keptSpecs: () => Promise<KeptSpecs>;
  readonly #generated: GeneratedSecrets;
  readonly #stored = new Map<string, Stored>();
  #listener: FilesListener | undefined;
  #problems: readonly Problem[] = [];
  /** The last read, if it was valid throughout, and since when (performance.now) reads agree with it. */
  #complete: { readonly result: ReadResult; readonly since: number } | undefined;
  #isSettled = false;
  #isReading = false;
  #isStale = false;
  #unwatch: () => void = () => undefined;
  #confirm: NodeJS.Timeout | undefined;

  /** `dataFolder` keeps generated passwords; `keptSpecs` is asked before each read, and where it fails nothing is compared. */
  constructor(directory: string, dataFolder: string, keptSpecs: () => Promise<KeptSpecs>) {
    this.#directory = directory;
    this.#keptSpecs = keptSpecs;
    this.#generated = new GeneratedSecrets(dataFolder);
  }

  /** Resolves after the first read. */
  async start(listener: FilesListener): Promise<void> {
    this.#listener = listener;
    await this.#read();
    this.#unwatch = watchFolder(this.#directory, () => this.#readSoon());
  }

  stop(): void {
    this.#unwatch();
    clearTimeout(this.#confirm);
    this.#listener = undefined;
  }

  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Whether what is absent from the folder is absent on purpose, as far as is known. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Every object of ours with its status, for people and programs that cannot ask the Kubernetes API. */
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

  presence(kind: string, key: ObjectKey): Promise<Presence> {
    const stored = this.#stored.get(idOf(kind, key));
    if (stored !== undefined) return Promise.resolve({ is: "present", uid: uidOf(stored.file) });
    return Promise.resolve(
      this.#isSettled ? { is: "absent" } : { is: "unknown", why: "the folder is not valid throughout" },
    );
  }

  /** Folders know no namespaces: nothing that selects by labels matches. */
  namespaceLabels(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** Nothing holds a file back. What it owned goes by the sweep. */
  setFinalizer(): Promise<void> {
    return Promise.resolve();
  }

  event({ kind, metadata: { namespace, name } }: KubernetesObject, event: Event): void {
    this.#listener?.event({ kind, namespace, name }, event);
  }

  async secret(key: ObjectKey): Promise<Secret | undefined> {
    const stored = this.#stored.get(idOf("Secret", key));
    return stored === undefined ? this.#generated.get(key) : { data: stored.file.data };
  }

  secretVersion(): undefined {
    return undefined;
  }

  async createSecret(
    key: ObjectKey,
    data: Readonly<Record<string, string>>,
    generatedFor: string,
  ): Promise<void> {
    await this.#generated.create(key, { data, generatedFor });
  }

  async removeSecret(key: ObjectKey, generatedFor: string): Promise<void> {
    await this.#generated.remove(key, generatedFor);
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

  /** One read at a time; a change during a read makes it read again. */
  async #read(): Promise<void> {
    this.#isStale = true;
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        const kept = await this.#keptSpecs().catch(() => new Map());
        this.#takeIn(await readObjects(this.#directory, kept));
      }
    } finally {
      this.#isReading = false;
    }
  }

  /** What a read in the background throws is a problem of the folder; the next change reads it again. */
  #readSoon(): void {
    this.#read().catch((error: unknown) => {
      const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
      this.#takeIn({ objects: [], problems: [{ file: this.#directory, line: 1, message }] });
    });
  }

  #takeIn(result: ReadResult): void {
    for (const file of result.objects) this.#store(file);
    if (!isDeepStrictEqual(result.problems, this.#problems)) {
      this.#problems = result.problems;
      this.#listener?.problems(result.problems);
    }
    this.#isSettled = this.#confirmAbsences(result);
    if (this.#isSettled) this.#settle(result);
  }

  /** Whether this read and one `confirmMs` ago or earlier agree; if it may be the first of the two, another read is planned. */
  #confirmAbsences(result: ReadResult): boolean {
    clearTimeout(this.#confirm);
    const now = performance.now();
    if (result.problems.length > 0) this.#complete = undefined;
    else if (this.#complete === undefined || !sameObjects(result, this.#complete.result))
      this.#complete = { result, since: now };
    if (this.#complete === undefined) return false;
    const remaining = this.#complete.since + confirmMs - now;
    if (remaining <= 0) return true;
    this.#confirm = setTimeout(() => this.#readSoon(), remaining + 1);
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

  #settle(result: ReadResult): void {
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
