/** What the operator remembers of a SipCluster's nodes from one look to the next: whether they answer, and what traffic each had. */
import { isIPv4 } from "node:net";
import type { NodeRow } from "../adapters/mysql/node-rows.ts";
import { probe, type ProbeReport, type ProbeTarget } from "../adapters/probe/probe.ts";
import type { Clock, Ms } from "../runtime/clock.ts";
import { addSample, type TrafficSample } from "./judge-traffic.ts";
import type { HostPort } from "./resource.ts";
import { liveNodes } from "./see-nodes.ts";

const probeEvery: Ms = 30_000;
/** A node that did not answer is asked again sooner. */
const probeAgain: Ms = 5_000;
const tellEvery: Ms = 30_000;

export class NodeWatch {
  readonly #clock: Clock;
  #traffic: readonly TrafficSample[] = [];
  #report: ProbeReport | undefined;
  #isProbing = false;
  #probedAt = -Infinity;
  #toldAt = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
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

  /** Asks in the background, if it is time and somebody is there; `onChange` hears when the answer is another one than before. */
  probe(targets: readonly ProbeTarget[], uri: HostPort | undefined, onChange: () => void): void {
    const askable = targets.filter(({ address }) => isIPv4(address));
    const hasFailed = this.#report?.answers.some(({ status }) => status === undefined) ?? false;
    const isTime = this.#clock.now() - this.#probedAt >= (hasFailed ? probeAgain : probeEvery);
    if (this.#isProbing || !isTime || uri === undefined) return;
    if (askable.length === 0) return;
    this.#isProbing = true;
    this.#probedAt = this.#clock.now();
    void probe(askable, uri).then((answers) => {
      const before = judged(this.#report);
      this.#report = { at: this.#clock.now(), answers };
      this.#isProbing = false;
      if (judged(this.#report) !== before) onChange();
    });
  }
}

const judged = (report: ProbeReport | undefined): string =>
  report === undefined
    ? ""
    : JSON.stringify(report.answers.map(({ name, status }) => [name, status === undefined]));
