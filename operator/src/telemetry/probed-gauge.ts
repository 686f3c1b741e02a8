/** A gauge whose value is asked for when it is scraped. */
import { Gauge, type Registry } from "prom-client";

export class ProbedGauge {
  readonly #probes = new Map<string, () => number>();

  constructor(registry: Registry, name: string, help: string, labelName: string) {
    const probes = this.#probes;
    new Gauge({
      name,
      help,
      labelNames: [labelName],
      registers: [registry],
      collect() {
        for (const [label, probe] of probes) this.set({ [labelName]: label }, probe());
      },
    });
  }

  /** `probe` answers for the series of that label from now on. */
  add(label: string, probe: () => number): void {
    this.#probes.set(label, probe);
  }
}
