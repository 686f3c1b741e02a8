/** Restarts an operator whenever it ends, as a kubelet does. An operator that lost its lease ends on purpose. */
import type { OperatorEnvironment } from "./operator-environment.ts";
import type { OperatorPod } from "./operator-pod.ts";

export class RestartingOperator implements AsyncDisposable {
  readonly #environment: OperatorEnvironment;
  readonly #name: string;
  #pod: OperatorPod | undefined;
  #isStopped = false;
  #run: Promise<void>;
  /** The number of starts. */
  starts = 0;

  constructor(environment: OperatorEnvironment, name: string) {
    this.#environment = environment;
    this.#name = name;
    this.#run = this.#keepRunning();
  }

  /** The current process; undefined between two processes. */
  get pod(): OperatorPod | undefined {
    return this.#pod;
  }

  async leads(): Promise<boolean> {
    return this.#pod !== undefined && (await this.#pod.leads());
  }

  /** The operator ends and releases the lease. It is not restarted before `resume`. */
  async suspend(): Promise<void> {
    this.#isStopped = true;
    await this.#pod?.end();
    await this.#run;
  }

  resume(): void {
    this.#isStopped = false;
    this.#run = this.#keepRunning();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.suspend();
  }

  async #keepRunning(): Promise<void> {
    while (!this.#isStopped) {
      this.starts += 1;
      this.#pod = await this.#environment.operator(this.#name).catch(() => undefined);
      await this.#pod?.exited;
    }
  }
}
