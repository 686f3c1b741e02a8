/** A gauge whose values are read when it is scraped. */
import { Gauge, type Registry } from "prom-client";

export class ProbedGauge {
  readonly #probes = new Map<string, () => number | undefined>();

  constructor(registry: Registry, name: string, help: string, labelName: string) {
    const probes = this.#probes;
    new Gauge({
      name,
      help,
      labelNames: [labelName],
      registers: [registry],
      collect() {
        for (const [label, probe] of probes) {
          const value = probe();
          if (value !== undefined) {
            this.set({ [labelName]: label }, value);
            continue;
          }
          probes.delete(label);
          this.remove({ [labelName]: label });
        }
      },
    });
  }

  /** `probe` returns the value of the series with this label. Undefined removes the series until it is added again. */
  add(label: string, probe: () => number | undefined): void {
    this.#probes.set(label, probe);
  }
}
