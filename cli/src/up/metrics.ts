/** Reads the Prometheus text of /metrics. */
export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

export type Samples = readonly Sample[];

/** Reads the samples of a URL; undefined if it does not answer within 1 s. */
export async function scrape(url: string): Promise<Samples | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
    return response.ok ? parseMetrics(await response.text()) : undefined;
  } catch {
    return undefined;
  }
}

/** The samples in the order of the text; comments and lines of another form are left out. */
export function parseMetrics(text: string): Samples {
  return text.split("\n").flatMap((line) => {
    const [, name, labels, value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return [];
    return [{ name, labels: parseLabels(labels ?? ""), value: Number(value) }];
  });
}

/** The sum of a metric over all samples with these labels; 0 if there is none. */
export function total(samples: Samples, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const matching = samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([key, value]) => sample.labels.get(key) === value),
  );
  return matching.reduce((sum, sample) => sum + sample.value, 0);
}

/** The metric's sum for each value of one label, in the order of appearance. */
export function totalBy(samples: Samples, name: string, label: string): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const sample of samples) {
    const key = sample.labels.get(label);
    if (sample.name === name && key !== undefined) sums.set(key, (sums.get(key) ?? 0) + sample.value);
  }
  return sums;
}

function parseLabels(text: string): ReadonlyMap<string, string> {
  const pairs = text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g);
  return new Map([...pairs].map(([, key = "", value = ""]) => [key, value.replace(/\\(.)/g, "$1")]));
}
