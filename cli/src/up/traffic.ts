/** Sums of all nodes' counters since the first read. A node that restarts counts from 0; its earlier counts stay in the sum. */
import { scrape, total, totalBy, type Samples } from "./metrics.ts";
import type { SipNode } from "./nodes.ts";

type Counters = ReadonlyMap<string, number>;

export class Traffic {
  readonly #nodes: readonly SipNode[];
  readonly #last = new Map<string, Counters>();
  readonly #sums = new Map<string, number>();
  #nodesRunning = 0;
  #registrations = 0;

  readonly #operatorUrl: string;

  constructor(nodes: readonly SipNode[], operatorUrl: string) {
    this.#nodes = nodes;
    this.#operatorUrl = operatorUrl;
  }

  /** Reads the metrics of the nodes and of the operator, which counts the bindings. */
  async update(): Promise<void> {
    const scraped = await Promise.all(this.#nodes.map((node) => scrape(`${node.httpUrl}/metrics`)));
    this.#nodesRunning = scraped.filter((samples) => samples !== undefined).length;
    const operator = await scrape(`${this.#operatorUrl}/metrics`);
    if (operator !== undefined) this.#registrations = total(operator, "strowger_bindings");
    for (const [index, node] of this.#nodes.entries()) {
      const samples = scraped[index];
      if (samples !== undefined) this.#add(node.name, countersOf(samples));
    }
  }

  /** One line: nodes, registrations, answered calls, responses by code. */
  describe(): string {
    const codes = [...this.#sums].filter(([key]) => key !== "calls").sort(([a], [b]) => a.localeCompare(b));
    const parts = [
      `${this.#nodesRunning}/${this.#nodes.length} nodes`,
      `${this.#registrations} registered`,
      `${this.#sums.get("calls") ?? 0} calls answered`,
      codes.map(([code, count]) => `${code} x${count}`).join("  "),
    ];
    return parts.join("   ").trimEnd();
  }

  #add(node: string, now: Counters): void {
    const last = this.#last.get(node) ?? now;
    for (const [key, count] of now) {
      const before = last.get(key) ?? 0;
      this.#sums.set(key, (this.#sums.get(key) ?? 0) + (count >= before ? count - before : count));
    }
    for (const [key, sum] of this.#sums) if (sum === 0) this.#sums.delete(key);
    this.#last.set(node, now);
  }
}

function countersOf(samples: Samples): Counters {
  const calls = total(samples, "strowger_sip_responses_total", { method: "INVITE", code: "200" });
  return new Map([["calls", calls], ...totalBy(samples, "strowger_sip_responses_total", "code")]);
}
