/** Runs kubectl and helm for a test, in the network namespace in which the API server is reachable. */
import { resolve } from "node:path";
import { kubeBinaries } from "../../tools/build.ts";
import { type CommandOptions, runCommand } from "./run-command.ts";

export interface KubectlOptions extends CommandOptions {
  /** Default: the administrator's kubeconfig. */
  readonly kubeconfig?: string;
}

export interface ClientPlan {
  readonly kubectl: string;
  /** The administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** A command prefix that runs a program where the API server is reachable, such as `nsenter --net=...`. */
  readonly prefix?: readonly string[];
}

export class KubeClient {
  readonly kubeconfig: string;
  readonly #plan: ClientPlan;

  constructor(plan: ClientPlan) {
    this.#plan = plan;
    this.kubeconfig = plan.kubeconfig;
  }

  /** Resolves with kubectl's stdout, rejects with its stderr. */
  async kubectl(args: readonly string[], options: KubectlOptions = {}): Promise<string> {
    return await this.run(this.#plan.kubectl, args, options);
  }

  /** Reads an object; rejects if it does not exist. */
  async get<Found = Record<string, unknown>>(...what: readonly string[]): Promise<Found> {
    return JSON.parse(await this.kubectl(["get", ...what, "-o", "json"])) as Found;
  }

  /** Applies YAML or JSON text by server-side apply, as field manager `test`. */
  async apply(text: string, options: KubectlOptions = {}): Promise<string> {
    const args = ["apply", "--server-side", "--force-conflicts", "--field-manager=test", "-f", "-"];
    return await this.kubectl(args, { ...options, input: text });
  }

  /** Runs helm against this cluster. */
  async helm(args: readonly string[], options: KubectlOptions = {}): Promise<string> {
    const { helm } = await kubeBinaries(["helm"]);
    return await this.run(helm, args, options);
  }

  /** Installs `crds/` and waits until the server serves them. */
  async installCrds(): Promise<void> {
    await this.kubectl(["apply", "--server-side", "-f", resolve(import.meta.dirname, "../../../crds")]);
    const kinds = ["sipclusters", "sipdomains", "sipusers"].map((kind) => `crd/${kind}.sip.strowger.dev`);
    await this.kubectl(["wait", "--for=condition=Established", "--timeout=60s", ...kinds]);
  }

  /** Runs a program that reads KUBECONFIG. */
  private async run(command: string, args: readonly string[], options: KubectlOptions = {}): Promise<string> {
    const env = { ...options.env, KUBECONFIG: options.kubeconfig ?? this.kubeconfig };
    const [first = command, ...rest] = [...(this.#plan.prefix ?? []), command];
    return await runCommand(first, [...rest, ...args], { ...options, env });
  }
}
