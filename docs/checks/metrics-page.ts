/** `docs/metrics.md`, generated from the metric tables of the two programs. */
import type { Registry } from "prom-client";
import { createMetrics } from "../../operator/src/telemetry/metrics.ts";
import { createTelemetry } from "../../sip-node/src/telemetry/metrics.ts";

export const metricsPath = "docs/metrics.md";

/** The text of the page. */
export function metricsPage(): string {
  return `# Metrics

Written by \`npm run docs:write\` from \`sip-node/src/telemetry/metric-table.ts\` and \`operator/src/telemetry/metric-table.ts\`; do not edit.
Times are in seconds. A histogram has the series \`_bucket\`, \`_sum\` and \`_count\`.

## SIP node

${table(createTelemetry(nothing).registry)}

## Operator

In addition there are the default process metrics of \`prom-client\` (\`process_...\`, \`nodejs_...\`).

${table(createMetrics().registry)}
`;
}

/** Fields of `getMetricsAsArray` that the types of prom-client lack. */
interface Described {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

function table(registry: Registry): string {
  const metrics = registry.getMetricsAsArray() as unknown as readonly Described[];
  const rows = metrics
    .map(({ name, help, labelNames, type }) => ({
      name,
      help,
      labels: labelNames.filter((label) => label !== "le"),
      type,
    }))
    .filter(({ name }) => !/^(process|nodejs)_/.test(name))
    .map(
      ({ name, type, labels, help }) =>
        `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`,
    );
  return ["| metric | type | labels | meaning |", "|---|---|---|---|", ...rows].join("\n");
}

const nothing = {
  transactions: () => ({ server: 0, client: 0 }),
  bindings: () => 0,
  eventLoopLag: () => 0,
  peers: () => 0,
  flows: () => 0,
  udp: () => [],
  streams: () => [],
  relays: () => ({ sent: 0, received: 0, refused: 0 }),
  leases: () => ({ isCurrent: false, held: 0, needed: 0, announced: 0, distrusts: 0 }),
  copied: () => ({}),
  evicted: () => ({}),
  dropped: () => ({}),
  failedLogins: () => 0,
  loadLevel: () => 0,
};
