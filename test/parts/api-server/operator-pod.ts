/** The operator as a process instead of a pod, with the environment of the chart's Deployment and the kubeconfig of a ServiceAccount. */
import { join } from "node:path";
import { freeTcpPort } from "../../../cli/src/up/free-port.ts";
import { parseMetrics, total } from "../../../cli/src/up/metrics.ts";
import { startChild, type TestChild } from "../../support/child.ts";
import { eventually } from "./eventually.ts";

const program = join(import.meta.dirname, "../../../operator/src/main.ts");

export class OperatorPod implements AsyncDisposable {
  readonly name: string;
  readonly #port: number;
  readonly #child: TestChild;

  private constructor(name: string, port: number, child: TestChild) {
    this.name = name;
    this.#port = port;
    this.#child = child;
  }

  /** Resolves when it listens; it may not be the leader. */
  static async start(name: string, environment: Readonly<Record<string, string>>): Promise<OperatorPod> {
    const port = await freeTcpPort("127.0.0.1", 0);
    const env = {
      STROWGER_LOG_LEVEL: "debug",
      ...environment,
      STROWGER_POD_NAME: name,
      STROWGER_HTTP: `127.0.0.1:${port}`,
    };
    const pod = new OperatorPod(name, port, startChild(process.execPath, [program], { env }));
    await pod.until("the operator listens", async () => (await pod.get("/healthz")).status > 0);
    return pod;
  }

  get pid(): number {
    return this.#child.pid;
  }

  get log(): string {
    return this.#child.output();
  }

  get hasEnded(): boolean {
    const { exitCode, signalCode } = this.#child.process;
    return exitCode !== null || signalCode !== null;
  }

  /** The exit status; null if a signal ended it. */
  get exited(): Promise<number | null> {
    return this.#child.exited;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.process.kill(signal);
  }

  get(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#port}${path}`, { signal: AbortSignal.timeout(5_000) });
  }

  /** The sum of a metric's samples with these labels. */
  async total(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    return total(parseMetrics(await (await this.get("/metrics")).text()), name, labels);
  }

  async leads(): Promise<boolean> {
    return (await this.total("leader_election_master_status")) === 1;
  }

  /** Waits until `holds` returns true. Throws if the process ends before. */
  async until(what: string, holds: () => Promise<boolean> | boolean, within?: number): Promise<void> {
    const guarded = async (): Promise<boolean> => this.hasEnded || (await holds());
    await eventually(`${this.name}: ${what}`, guarded, {
      ...(within === undefined ? {} : { within }),
      more: () => this.log.slice(-4_000),
    });
    if (this.hasEnded) throw new Error(`${this.name} ended before: ${what}\n${this.log.slice(-4_000)}`);
  }

  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    await this.#child.end(signal);
    return this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGCONT");
    await this.end("SIGKILL");
  }
}
