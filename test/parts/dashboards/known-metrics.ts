/** What the two programs report, and which of it an expression of PromQL names. */
import type { Registry } from "prom-client";
import { createMetrics } from "../../../operator/src/telemetry/metrics.ts";
import { createTelemetry } from "../../../sip-node/src/telemetry/metrics.ts";

/** Label names of each metric; histograms by the names of their series. */
export type KnownMetrics = ReadonlyMap<string, readonly string[]>;

/** What the chart's PodMonitors give to every series. */
const ofTarget = ["job", "namespace", "pod", "sip_cluster", "instance"];

/** Our metrics, and `up`, which Prometheus makes. */
export function knownMetrics(): KnownMetrics {
  const readings = new Proxy({}, { get: () => () => 0 }) as Parameters<typeof createTelemetry>[0];
  return new Map([
    ["up", ofTarget],
    ...seriesOf(createTelemetry(readings).registry),
    ...seriesOf(createMetrics().registry),
  ]);
}

interface Described {
  readonly name: string;
  readonly type?: string;
  readonly labelNames: readonly string[];
}

function seriesOf(registry: Registry): [string, readonly string[]][] {
  const metrics = registry.getMetricsAsArray() as unknown as readonly Described[];
  return metrics.flatMap(({ name, labelNames, constructor }): [string, readonly string[]][] => {
    // A label that the target has too is `exported_...` in Prometheus (honor_labels: false).
    const own = labelNames.map((label) => (ofTarget.includes(label) ? `exported_${label}` : label));
    const labels = [...ofTarget, ...own];
    if (constructor.name !== "Histogram") return [[name, labels]];
    return [
      [`${name}_bucket`, [...labels, "le"]],
      [`${name}_sum`, labels],
      [`${name}_count`, labels],
    ];
  });
}

/** Words of PromQL that stand where a metric could. */
const operators = new Set(["and", "or", "unless", "bool", "offset"]);

/** What an expression names that nothing reports: metrics, and labels that its metrics do not have. */
export function unknownNames(expression: string, known: KnownMetrics): string[] {
  const problems: string[] = [];
  const plain = expression.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/\[[^\]]*\]/g, "");
  const labelLists: string[] = [];
  const bare = plain
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g, (_, labels: string) => {
      labelLists.push(...labels.split(",").map((label) => label.trim()));
      return " ";
    })
    .replace(/([A-Za-z_:][\w:]*)\s*\{([^}]*)\}/g, (_, metric: string, matchers: string) => {
      for (const [, label = ""] of matchers.matchAll(/([A-Za-z_]\w*)\s*(?:=~|!~|!=|=)/g))
        if (known.has(metric) && !known.get(metric)?.includes(label)) problems.push(`${metric}{${label}}`);
      return ` ${metric} `;
    });
  const metrics = [...bare.matchAll(/(?<![\w.])([A-Za-z_:][\w:]*)(?!\s*\(|[\w:])/g)].map(
    (match) => match[1] ?? "",
  );
  const named = metrics.filter((name) => !operators.has(name));
  problems.push(...named.filter((name) => !known.has(name)));
  const labels = new Set(named.flatMap((name) => known.get(name) ?? []));
  problems.push(
    ...labelLists.filter((label) => label !== "" && !labels.has(label)).map((label) => `by (${label})`),
  );
  return [...new Set(problems)];
}
