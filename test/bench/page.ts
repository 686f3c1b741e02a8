/** Makes docs/benchmarks.md from the results of a run. Pure. */
import { shipped, strowger, tuned } from "./contestants/names.ts";
import { cost, type GoalResult, goalResults, isMet } from "./goals.ts";
import { loadTexts, median, resultSections, spreadText, table } from "./page-tables.ts";
import type { Results, Series } from "./results.ts";
import { spread } from "./statistics.ts";

export function benchmarksPage(results: Results): string {
  return [
    introduction(results),
    "## Goals\n",
    goalTable(goalResults(results)),
    chart(results),
    ...(results.problems ?? []).map((problem) => `Not measured: ${problem}\n`),
    ...resultSections(results),
  ].join("\n");
}

const introduction = ({ date, commit, machine, versions, seconds, rounds, series }: Results): string =>
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
processes that do not belong to the benchmark${foreignText(series)}. Latencies contain the delay of sipp, whose clock has steps of 4 ms.
`;

/** Which share of the machine others had in this run: a result of a busy machine is not to be trusted. */
function foreignText(series: readonly Series[]): string {
  const shares = spread(series.flatMap(({ samples }) => samples.map(({ foreign }) => foreign)));
  if (shares === undefined) return "";
  return ` (in this run ${Math.round(shares.median * 100)} %, at most ${Math.round(shares.max * 100)} %)`;
}

function goalTable(goals: readonly GoalResult[]): string {
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
