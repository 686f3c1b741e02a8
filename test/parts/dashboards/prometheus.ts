/** Debian's Prometheus on a free port with its own data folder; it scrapes every second. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort } from "../../../cli/src/up/free-port.ts";
import { startChild, type TestChild } from "../../support/child.ts";

export interface Target {
  /** `127.0.0.1:9101`. */
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export class Prometheus implements AsyncDisposable {
  readonly #url: string;
  readonly #folder: string;
  readonly #child: TestChild;

  private constructor(url: string, folder: string, child: TestChild) {
    this.#url = url;
    this.#folder = folder;
    this.#child = child;
  }

  static async start(targets: readonly Target[], rules: string): Promise<Prometheus> {
    const folder = await mkdtemp(join(tmpdir(), "strowger-prometheus-"));
    await mkdir(join(folder, "data"));
    const scrape = targets.map(({ address, labels }, i) => ({
      job_name: `target-${i}`,
      static_configs: [{ targets: [address], labels }],
      // As the PodMonitors do.
      relabel_configs: [{ target_label: "job", replacement: labels["job"] }],
    }));
    const global = { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" };
    const config = { global, rule_files: [rules], scrape_configs: scrape }; // JSON is YAML
    await writeFile(join(folder, "prometheus.json"), JSON.stringify(config));
    const address = `127.0.0.1:${await freeTcpPort("127.0.0.1", 0)}`;
    const child = startChild("prometheus", [
      `--config.file=${join(folder, "prometheus.json")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${address}`,
      "--log.level=warn",
    ]);
    const prometheus = new Prometheus(`http://${address}`, folder, child);
    await prometheus.#untilReady();
    return prometheus;
  }

  /** Rejects with Prometheus's message if the expression is invalid. A scalar is one sample without labels. */
  async query(expression: string): Promise<readonly Sample[]> {
    const { resultType, result } = await this.#api<QueryResult>("query", { query: expression });
    if (resultType === "scalar") return [{ metric: {}, value: Number(result[1]) }];
    if (resultType !== "vector") throw new Error(`${expression}: a ${resultType}; expected a vector`);
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** Every alert with the error of its last evaluation. */
  async alerts(): Promise<
    readonly { readonly name: string; readonly lastError?: string; readonly health: string }[]
  > {
    const { groups } = await this.#api<{ groups: { rules: { name: string; health: string }[] }[] }>(
      "rules",
      {},
    );
    return groups.flatMap(({ rules }) => rules);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.end();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #api<Data>(path: string, parameters: Readonly<Record<string, string>>): Promise<Data> {
    const url = `${this.#url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`;
    const answer = (await (await fetch(url)).json()) as { readonly data: Data; readonly error?: string };
    if (answer.error !== undefined) throw new Error(`${Object.values(parameters).join()}: ${answer.error}`);
    return answer.data;
  }

  async #untilReady(): Promise<void> {
    const ask = () =>
      fetch(`${this.#url}/-/ready`).then(
        (answer) => answer.ok,
        () => false,
      ); // prettier-ignore
    for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
      if (await ask()) return;
      if (this.#child.process.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`Prometheus did not get ready:\n${this.#child.output().slice(-3000)}`);
  }
}

type QueryResult =
  | {
      readonly resultType: "vector";
      readonly result: readonly {
        readonly metric: Record<string, string>;
        readonly value: readonly [number, string];
      }[];
    } // prettier-ignore
  | { readonly resultType: "scalar"; readonly result: readonly [number, string] }
  | { readonly resultType: "matrix" | "string"; readonly result: unknown };
