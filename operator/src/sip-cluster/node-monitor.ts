/** What the operator remembers of a SipCluster from one look to the next: whether nodes answer, what traffic each had, which database. */
import { isIPv4 } from "node:net";
import type { NodeRow } from "../adapters/mysql/node-rows.ts";
import { probe, type ProbeReport, type ProbeTarget } from "../adapters/probe/probe.ts";
import type { Clock, Ms } from "../runtime/clock.ts";
import { addSample, type TrafficSample } from "./traffic-condition.ts";
import { ReplacedDatabase } from "./replaced-database.ts";
import type { HostPort } from "./resource.ts";
import { liveNodes } from "./live-nodes.ts";

const probeEvery: Ms = 30_000;
/** A node that did not answer is asked again sooner. */
const probeAgain: Ms = 5_000;
const tellEvery: Ms = 30_000;

export class NodeMonitor {
  readonly #clock: Clock;
  readonly replaced = new ReplacedDatabase();
  readonly #onFailure: (cause: unknown) => void;
  readonly #probe: typeof probe;
  #traffic: readonly TrafficSample[] = [];
  #report: ProbeReport | undefined;
  #isProbing = false;
  /** Somebody did not answer, or nobody could be asked. */
  #hasFailed = false;
  #probedAt = -Infinity;
  #toldAt = -Infinity;

  /** `onFailure` hears why nobody could be asked. */
  constructor(clock: Clock, onFailure: (cause: unknown) => void, ask: typeof probe = probe) {
    this.#clock = clock;
    this.#onFailure = onFailure;
    this.#probe = ask;
  }

  get report(): ProbeReport | undefined {
    return this.#report;
  }

  traffic(nodes: readonly NodeRow[]): readonly TrafficSample[] {
    const requests = new Map(liveNodes(nodes).map(({ id, requestsPerMinute }) => [id, requestsPerMinute]));
    this.#traffic = addSample(this.#traffic, { at: this.#clock.now(), requests });
    return this.#traffic;
  }

  /** Whether it is time for new figures in the status: each write of it wakes every watcher. */
  isTimeToTell(): boolean {
    const isTime = this.#clock.now() - this.#toldAt >= tellEvery;
    if (isTime) this.#toldAt = this.#clock.now();
    return isTime;
  }

  /**
   * Asks in the background, if it is time and somebody is there; `onChange` hears when the answer is another one than before. Where nobody
   * could be asked the last report stays, and it is tried again sooner.
   */
  probe(targets: readonly ProbeTarget[], uri: HostPort | undefined, onChange: () => void): void {
    const askable = targets.filter(({ address }) => isIPv4(address));
    const isTime = this.#clock.now() - this.#probedAt >= (this.#hasFailed ? probeAgain : probeEvery);
    if (this.#isProbing || !isTime || uri === undefined) return;
    if (askable.length === 0) return;
    this.#isProbing = true;
    this.#probedAt = this.#clock.now();
    this.#ask(askable, uri, onChange).catch((cause: unknown) => {
      this.#isProbing = false;
      this.#hasFailed = true;
      this.#onFailure(cause);
    });
  }

  async #ask(targets: readonly ProbeTarget[], uri: HostPort, onChange: () => void): Promise<void> {
    const answers = await this.#probe(targets, uri);
    const before = judged(this.#report);
    this.#report = { at: this.#clock.now(), answers };
    this.#hasFailed = answers.some(({ status }) => status === undefined);
    this.#isProbing = false;
    if (judged(this.#report) !== before) onChange();
  }
}

const judged = (report: ProbeReport | undefined): string =>
  report === undefined
    ? ""
    : JSON.stringify(report.answers.map(({ name, status }) => [name, status === undefined]));
