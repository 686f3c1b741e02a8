/** Starts an operator again whenever it has ended, as a kubelet does: one that lost its lease ends on purpose. */
import type { House } from "./house.ts";
import type { OperatorPod } from "./operator-pod.ts";

export class Kubelet implements AsyncDisposable {
  readonly #house: House;
  readonly #name: string;
  #pod: OperatorPod | undefined;
  #isStopped = false;
  #run: Promise<void>;
  /** How often the operator was started. */
  starts = 0;

  constructor(house: House, name: string) {
    this.#house = house;
    this.#name = name;
    this.#run = this.#keepRunning();
  }

  /** The process of now; undefined between two. */
  get pod(): OperatorPod | undefined {
    return this.#pod;
  }

  async leads(): Promise<boolean> {
    return this.#pod !== undefined && (await this.#pod.leads());
  }

  /** The operator says good-bye, and is not started again before `resume`. */
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
      this.#pod = await this.#house.operator(this.#name).catch(() => undefined);
      await this.#pod?.exited;
    }
  }
}
