/** What all nodes together have done since they were first asked. A node that starts anew counts from 0; what it did before is kept. */
import { scrape, total, totalBy, type Samples } from "./metrics.ts";
import type { SipNode } from "./nodes.ts";

type Counters = ReadonlyMap<string, number>;

export class Traffic {
  readonly #nodes: readonly SipNode[];
  readonly #last = new Map<string, Counters>();
  readonly #sums = new Map<string, number>();
  #nodesUp = 0;
  #registrations = 0;

  readonly #operatorUrl: string;

  constructor(nodes: readonly SipNode[], operatorUrl: string) {
    this.#nodes = nodes;
    this.#operatorUrl = operatorUrl;
  }

  /** Asks every node and the operator for their metrics; the operator counts the bindings. */
  async update(): Promise<void> {
    const scraped = await Promise.all(this.#nodes.map((node) => scrape(`${node.httpUrl}/metrics`)));
    const up = scraped.filter((samples): samples is Samples => samples !== undefined);
    this.#nodesUp = up.length;
    const operator = await scrape(`${this.#operatorUrl}/metrics`);
    if (operator !== undefined) this.#registrations = total(operator, "strowger_bindings");
    for (const [index, node] of this.#nodes.entries()) {
      const samples = scraped[index];
      if (samples !== undefined) this.#add(node.name, countersOf(samples));
    }
  }

  /** One line: nodes, registrations, answered calls, responses by code. */
  text(): string {
    const codes = [...this.#sums].filter(([key]) => key !== "calls").sort(([a], [b]) => a.localeCompare(b));
    const parts = [
      `${this.#nodesUp}/${this.#nodes.length} nodes`,
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
