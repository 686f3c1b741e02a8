/** The tables of docs/benchmarks.md. Pure. */
import { oneNode, tuned, withinOneOfTwo } from "./contestants/names.ts";
import { bytesPerBinding, cost, isValid, ratioOf } from "./goals.ts";
import type { LoadName, Maximum, Memory, Results, Sample, Series, SystemCalls } from "./results.ts";
import { type Spread, spread } from "./statistics.ts";

export const loadTexts: Readonly<Record<LoadName, string>> = {
  trusted: "no challenge",
  challenged: "challenge",
  register: "REGISTER",
  latency: "half load",
  nodes: "nodes",
  "node-registers": "REGISTER and nodes",
};

/** Each section with its title; a section without results is left out. */
export const resultSections = (results: Results): string[] => [
  ...sections.flatMap(({ load, title, reference, text }) => section(results, load, title, reference, text)),
  ...maximumSection(results.maxima),
  ...memorySection(results),
  ...systemCallSection(results.systemCalls ?? []),
  ...operatorSection(results),
];

const sections = [
  {
    load: "trusted",
    title: "Calls without a challenge",
    reference: tuned,
    text: "Stateful calls between 1,000 registered users with Record-Route; the callers' address is trusted.",
  },
  {
    load: "challenged",
    title: "Calls with proxy authentication",
    reference: tuned,
    text: "The same calls; each INVITE is challenged once. Kamailio reads the password in MariaDB.",
  },
  {
    load: "register",
    title: "REGISTER with digest",
    reference: tuned,
    text: "Each registration is challenged once and refreshes a binding; the commit is on disk before the 200.",
  },
  {
    load: "latency",
    title: "Latency at half load",
    reference: tuned,
    text: "Calls without a challenge at half the sustainable rate of the slower contestant. A second program beside sipp measures the latencies with an exact clock and a callee that answers at once.",
  },
  {
    load: "nodes",
    title: "Calls across nodes",
    reference: withinOneOfTwo,
    text: "Calls without a challenge. `server` is the sum of all nodes.",
  },
  {
    load: "node-registers",
    title: "REGISTER in exchanges of several nodes",
    reference: oneNode,
    text: "All arrive at one node. Each change is announced to all other nodes before its 200. `server` is the sum of all nodes, also of what they do without load.",
  },
] as const;

function section(results: Results, load: LoadName, title: string, reference: string, text: string): string[] {
  const own = results.series.filter((series) => series.load === load);
  if (own.length === 0) return [];
  const head = [
    "rate",
    "contestant",
    "server µs",
    "MariaDB µs",
    "ratio with MariaDB",
    "p50 ms",
    "p99 ms",
    "sipp µs",
    "busy",
    "others",
    "failed",
    "retransmissions",
  ];
  const rows = own.map((series) => {
    const ratio = ratioOf(results, load, series.rate, series.contestant, reference, cost);
    const number = (value: (sample: Sample) => number): string => String(Math.round(median(series, value)));
    const share = (value: (sample: Sample) => number): string =>
      `${Math.round(median(series, value) * 100)} %`;
    const sum = (value: (sample: Sample) => number): string =>
      String(series.samples.reduce((total, sample) => total + value(sample), 0));
    const shownRatio =
      series.contestant === reference ? "1" : isValid(series) ? spreadText(ratio, "") : "invalid";
    return [
      `${series.rate}/s`,
      series.contestant,
      number(({ server }) => server),
      number(({ database }) => database),
      shownRatio,
      median(series, ({ p50 }) => p50).toFixed(1),
      median(series, ({ p99 }) => p99).toFixed(1),
      number(({ sipp }) => sipp),
      share(({ busy }) => busy),
      share(({ foreign }) => foreign),
      sum(({ failed }) => failed),
      sum(({ retransmissions }) => retransmissions),
    ];
  });
  return [`## ${title}\n`, `${text} Ratios are to ${reference}.\n`, table(head, rows)];
}

function maximumSection(maxima: readonly Maximum[]): string[] {
  if (maxima.length === 0) return [];
  const rows = maxima.map(({ load, contestant, rate, isLoadLimited }) => [
    load === "register" ? "REGISTER with digest" : "calls without a challenge",
    contestant,
    `${rate}/s`,
    isLoadLimited ? "the machine had no idle time left" : "the server",
  ]);
  return [
    "## Sustainable rates\n",
    "The highest rate with no failure and less than 0.5 % retransmissions.\n",
    table(["work", "contestant", "rate", "limited by"], rows),
  ];
}

function memorySection(results: Results): string[] {
  if (results.memory.length === 0) return [];
  const rows = results.memory.map(({ contestant, bindings, bytes, startMs }: Memory) => [
    contestant,
    String(bindings),
    (bytes / 2 ** 20).toFixed(1),
    bindings === 0 ? "–" : (bytesPerBinding(results, contestant, bindings)?.median ?? 0).toFixed(2),
    String(Math.round(startMs)),
  ]);
  return [
    "## Memory and start\n",
    "A process that starts with these bindings in its database. A node collects its garbage before its memory is read.\n",
    table(["contestant", "bindings", "memory MiB", "kB per binding", "ready after ms"], rows),
  ];
}

function systemCallSection(systemCalls: readonly SystemCalls[]): string[] {
  if (systemCalls.length === 0) return [];
  const rows = systemCalls.map((one) => {
    const sorted = Object.entries(one.counts).toSorted(([, a], [, b]) => b - a);
    const sum = sorted.reduce((total, [, count]) => total + count, 0);
    const shown = sorted.filter(([, count]) => count >= 0.05);
    const text = shown.map(([name, count]) => `${name} ${count.toFixed(2)}`).join(", ");
    return [loadTexts[one.load], one.contestant, sum.toFixed(1), text];
  });
  return [
    "## System calls\n",
    "For one call or REGISTER, all threads and processes, counted by strace at 200/s.\n",
    table(["work", "contestant", "all", "most frequent"], rows),
  ];
}

function operatorSection({ operator }: Results): string[] {
  if (operator === undefined) return [];
  const { users, seconds, apiServerSeconds, requestsPerUser, bytesPerUser } = operator;
  const rows = [
    [
      String(users),
      seconds.toFixed(1),
      apiServerSeconds.toFixed(1),
      requestsPerUser.toFixed(2),
      String(Math.round(bytesPerUser)),
    ],
  ];
  return [
    "## The operator\n",
    table(
      ["SipUsers", "seconds to the last Ready", "API server alone", "requests per user", "bytes per user"],
      rows,
    ),
  ];
}

export const median = ({ samples }: Series, value: (sample: Sample) => number): number =>
  spread(samples.map(value))?.median ?? 0;

export const spreadText = (value: Spread | undefined, unit: string): string =>
  value === undefined
    ? "–"
    : `${[value.min, value.median, value.max].map((number) => number.toFixed(2)).join(" / ")} ${unit}`.trim();

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n") + "\n";
