/** The metrics of the two programs, and a check of the names in a PromQL expression. */
import type { Registry } from "prom-client";
import { createMetrics } from "../../../operator/src/telemetry/metrics.ts";
import { createTelemetry } from "../../../sip-node/src/telemetry/metrics.ts";

/** The label names of each metric; a histogram has an entry for each of its series. */
type KnownMetrics = ReadonlyMap<string, readonly string[]>;

/** The labels that the chart's PodMonitors add to every series. */
const targetLabels = ["job", "namespace", "pod", "sip_cluster", "instance"];

/** Strowger's metrics, and Prometheus's own metric `up`. */
export function knownMetrics(): KnownMetrics {
  const readings = new Proxy({}, { get: () => () => 0 }) as Parameters<typeof createTelemetry>[0];
  return new Map([
    ["up", targetLabels],
    ...seriesOf(createTelemetry(readings).registry),
    ...seriesOf(createMetrics().registry),
  ]);
}

interface Described {
  readonly name: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

function seriesOf(registry: Registry): [string, readonly string[]][] {
  const metrics = registry.getMetricsAsArray() as unknown as readonly Described[];
  return metrics.flatMap(({ name, labelNames, type }): [string, readonly string[]][] => {
    // If the target has the same label, Prometheus renames the metric's label to `exported_...` (honor_labels: false).
    const own = labelNames.map((label) => (targetLabels.includes(label) ? `exported_${label}` : label));
    const labels = [...targetLabels, ...own];
    if (type !== "histogram") return [[name, labels]];
    return [
      [`${name}_bucket`, [...labels, "le"]],
      [`${name}_sum`, labels],
      [`${name}_count`, labels],
    ];
  });
}

/** Words of PromQL that may stand in the position of a metric. */
const operators = new Set(["and", "or", "unless", "bool", "offset"]);

/** The unknown metrics of an expression, and the labels that its metrics do not have. */
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
