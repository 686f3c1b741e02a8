/** What the operator remembers of a SipCluster from one reconcile to the next: the last probe, the traffic of each node, a replaced database. */
import { isIPv4 } from "node:net";
import type { NodeRow } from "../adapters/mysql/node-rows.ts";
import { probe, type ProbeReport, type ProbeTarget } from "../adapters/probe/probe.ts";
import type { Clock, Ms } from "../runtime/clock.ts";
import { addSample, type TrafficSample } from "./traffic-condition.ts";
import { ReplacedDatabase } from "./replaced-database.ts";
import type { HostPort } from "./resource.ts";
import { liveNodes } from "./live-nodes.ts";

const probeEvery: Ms = 30_000;
/** After a probe without an answer. */
const probeAgain: Ms = 5_000;
const writeCountsEvery: Ms = 30_000;

export class NodeMonitor {
  readonly #clock: Clock;
  readonly replaced = new ReplacedDatabase();
  readonly #onFailure: (cause: unknown) => void;
  readonly #probe: typeof probe;
  #traffic: readonly TrafficSample[] = [];
  #report: ProbeReport | undefined;
  #isProbing = false;
  /** A target did not answer, or the probe itself failed. */
  #hasFailed = false;
  #probedAt = -Infinity;
  #countsWrittenAt = -Infinity;

  /** `onFailure` is called when a probe itself fails, for instance without a socket. */
  constructor(clock: Clock, onFailure: (cause: unknown) => void, sendProbe: typeof probe = probe) {
    this.#clock = clock;
    this.#onFailure = onFailure;
    this.#probe = sendProbe;
  }

  get report(): ProbeReport | undefined {
    return this.#report;
  }

  traffic(nodes: readonly NodeRow[]): readonly TrafficSample[] {
    const requests = new Map(liveNodes(nodes).map(({ id, requestsPerMinute }) => [id, requestsPerMinute]));
    this.#traffic = addSample(this.#traffic, { at: this.#clock.now(), requests });
    return this.#traffic;
  }

  /** Whether new counts may be written to the status: each write of a status wakes every watcher. */
  areCountsDue(): boolean {
    const areDue = this.#clock.now() - this.#countsWrittenAt >= writeCountsEvery;
    if (areDue) this.#countsWrittenAt = this.#clock.now();
    return areDue;
  }

  /**
   * Probes in the background, where a probe is due and there are targets. Calls `onChange` when the result differs from the last one. When the
   * probe itself fails, the last report stays and the next probe comes sooner.
   */
  probe(targets: readonly ProbeTarget[], uri: HostPort | undefined, onChange: () => void): void {
    const probed = targets.filter(({ address }) => isIPv4(address));
    const isTime = this.#clock.now() - this.#probedAt >= (this.#hasFailed ? probeAgain : probeEvery);
    if (this.#isProbing || !isTime || uri === undefined) return;
    if (probed.length === 0) return;
    this.#isProbing = true;
    this.#probedAt = this.#clock.now();
    this.#runProbe(probed, uri, onChange).catch((cause: unknown) => {
      this.#isProbing = false;
      this.#hasFailed = true;
      this.#onFailure(cause);
    });
  }

  async #runProbe(targets: readonly ProbeTarget[], uri: HostPort, onChange: () => void): Promise<void> {
    const answers = await this.#probe(targets, uri);
    const before = resultOf(this.#report);
    this.#report = { at: this.#clock.now(), answers };
    this.#hasFailed = answers.some(({ status }) => status === undefined);
    this.#isProbing = false;
    if (resultOf(this.#report) !== before) onChange();
  }
}

const resultOf = (report: ProbeReport | undefined): string =>
  report === undefined
    ? ""
    : JSON.stringify(report.answers.map(({ name, status }) => [name, status === undefined]));
