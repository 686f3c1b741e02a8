/** The Secrets that the operator generated. They are in one YAML file in the data folder, readable only by its owner. */
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { keyOf, splitKey, type ObjectKey } from "../../runtime/object.ts";
import type { Secret } from "../../runtime/source.ts";

const annotation = "sip.strowger.dev/generated-for";

interface SecretDocument {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly stringData: Readonly<Record<string, string>>;
}

export class GeneratedSecrets {
  readonly #folder: string;
  #secrets: Map<ObjectKey, Secret> | undefined;
  /** Writes run one after the other. */
  #lastWrite: Promise<unknown> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
  }

  get path(): string {
    return join(this.#folder, "generated-secrets.yaml");
  }

  /** The keys are namespace/name. */
  async all(): Promise<ReadonlyMap<ObjectKey, Secret>> {
    return await this.#load();
  }

  async get(key: ObjectKey): Promise<Secret | undefined> {
    return (await this.#load()).get(key);
  }

  /** An existing Secret is not changed. */
  create(key: ObjectKey, secret: Secret): Promise<void> {
    return this.#change((secrets) => (secrets.has(key) ? false : (secrets.set(key, secret), true)));
  }

  remove(key: ObjectKey, generatedFor: string): Promise<void> {
    return this.#change((secrets) => secrets.get(key)?.generatedFor === generatedFor && secrets.delete(key));
  }

  #change(edit: (secrets: Map<ObjectKey, Secret>) => boolean): Promise<void> {
    const write = this.#lastWrite.then(async () => {
      const secrets = new Map(await this.#load());
      if (!edit(secrets)) return;
      await this.#store(secrets);
      this.#secrets = secrets;
    });
    this.#lastWrite = write.catch(() => undefined);
    return write;
  }

  async #load(): Promise<Map<ObjectKey, Secret>> {
    if (this.#secrets !== undefined) return this.#secrets;
    const text = await readFile(this.path, "utf8").catch((error: unknown) => {
      if ((error as { code?: string }).code === "ENOENT") return "";
      throw error;
    });
    const documents = parseAllDocuments(text);
    const secrets = (Array.isArray(documents) ? documents : []).map((document): [ObjectKey, Secret] => {
      const { metadata, stringData } = document.toJS() as SecretDocument;
      return [
        keyOf(metadata.namespace, metadata.name),
        { data: stringData, generatedFor: metadata.annotations[annotation] ?? "" },
      ];
    });
    this.#secrets ??= new Map(secrets);
    return this.#secrets;
  }

  async #store(secrets: ReadonlyMap<ObjectKey, Secret>): Promise<void> {
    const documents = [...secrets].map(([key, { data, generatedFor }]) =>
      stringify({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { ...splitKey(key), annotations: { [annotation]: generatedFor ?? "" } },
        stringData: data,
      }),
    );
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const file = await open(`${this.path}.new`, "w", 0o600);
    await file.writeFile(documents.join("---\n"));
    await file.sync();
    await file.close();
    await rename(`${this.path}.new`, this.path);
  }
}
