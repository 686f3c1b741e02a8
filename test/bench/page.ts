/** Makes docs/benchmarks.md from the results of a run. Pure. */
import { bytesPerBinding, cost, type GoalResult, goalResults, isMet, isValid, ratioOf } from "./goals.ts";
import type { LoadName, Maximum, Memory, Results, Sample, Series } from "./results.ts";
import { shipped, strowger, tuned, withinOneOfTwo } from "./contestants/names.ts";
import { type Spread, spread } from "./statistics.ts";

export function benchmarksPage(results: Results): string {
  return [
    introduction(results),
    "## Goals\n",
    goalTable(goalResults(results)),
    chart(results),
    ...(results.problems ?? []).map((problem) => `Not measured: ${problem}\n`),
    ...sections.flatMap(({ load, title, reference, text }) => section(results, load, title, reference, text)),
    ...maximumSection(results.maxima),
    ...memorySection(results),
    ...operatorSection(results),
  ].join("\n");
}

const introduction = ({ date, commit, machine, versions, seconds, rounds }: Results): string =>
  `# Benchmarks

This page is generated from \`docs/benchmarks.json\`, the results of one run of \`npm run bench -- --write\`.

- Machine: ${machine.processors}, ${machine.memoryGiB} GiB, ${machine.kernel}. Load generator, servers and database share it.
- Versions: ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ")}.
- Commit ${commit}, ${date}. ${rounds} rounds of ${seconds} s; in a round, the contestants are measured one after the other.

Processor time is user and system time of all threads and child processes, for each call or REGISTER; MariaDB's time is beside it. A ratio
compares two samples of the same round, and its three numbers are minimum, median and maximum of the rounds. A row with a failed call has no
ratio. \`sipp\` is the processor time of the load generator, \`busy\` the share of the machine that was busy, \`others\` the share of
processes that do not belong to the benchmark. Latencies contain the delay of sipp, whose clock has steps of 4 ms.
`;

export function goalTable(goals: readonly GoalResult[]): string {
  const rows = goals.map((goal) => {
    const sign = goal.isAtLeast ? "≥" : "≤";
    const met = isMet(goal);
    const verdict = met === undefined ? "not measured" : met ? "met" : "**not met**";
    return [
      goal.work,
      goal.against,
      `${sign} ${goal.goal} ${goal.unit}`,
      spreadText(goal.result, goal.unit),
      verdict,
    ];
  });
  return table(["work", "against", "goal", "result (min / median / max)", ""], rows);
}

/** Processor time with MariaDB's of a call at the highest rate, for each contestant with its locations in memory. */
function chart({ series }: Results): string {
  const calls = series.filter(
    ({ load, contestant }) =>
      (load === "trusted" || load === "challenged") && [shipped, tuned, strowger].includes(contestant),
  );
  const rate = Math.max(...calls.map((one) => one.rate));
  const shown = calls.filter((one) => one.rate === rate);
  const widest = Math.max(...shown.map((one) => median(one, cost)));
  const lines = shown.map((one) => {
    const value = median(one, cost);
    const bar = "█".repeat(Math.max(1, Math.round((value / widest) * 40)));
    return `${`${one.contestant}, ${loadTexts[one.load]}`.padEnd(36)} ${bar} ${Math.round(value)} µs`;
  });
  if (lines.length === 0) return "";
  return `Processor time of a call with MariaDB's, at ${rate} calls/s:\n\n\`\`\`text\n${lines.join("\n")}\n\`\`\`\n`;
}

const loadTexts: Readonly<Record<LoadName, string>> = {
  trusted: "no challenge",
  challenged: "challenge",
  register: "REGISTER",
  latency: "half load",
  nodes: "nodes",
};

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

const median = ({ samples }: Series, value: (sample: Sample) => number): number =>
  spread(samples.map(value))?.median ?? 0;

const spreadText = (value: Spread | undefined, unit: string): string =>
  value === undefined
    ? "–"
    : `${[value.min, value.median, value.max].map((number) => number.toFixed(2)).join(" / ")} ${unit}`.trim();

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n") + "\n";
