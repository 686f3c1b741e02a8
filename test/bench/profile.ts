/**
 * `node test/bench/profile.ts [FILE] [--top N] [--skip SECONDS] [--calls N]` prints where the time of a `--cpu-prof` profile went, by folder,
 * by file and by function (self time). Without FILE it takes the newest profile in `.strowger/profiles/`. The start of the process is skipped;
 * with `--calls`, the time of one call is printed too.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  /** The node of each sample, and the microseconds before it. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const root = resolve(import.meta.dirname, "../..");
const { values, positionals } = parseArgs({
  options: {
    top: { type: "string", default: "45" },
    skip: { type: "string", default: "3" },
    calls: { type: "string" },
  },
  allowPositionals: true,
});
const file = positionals[0] ?? newest(join(root, ".strowger/profiles"));
const profile = JSON.parse(readFileSync(file, "utf8")) as Profile;
const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
const byFunction = new Map<string, number>();
const byFile = new Map<string, number>();
const byFolder = new Map<string, number>();
const calls = Number(values.calls ?? Number.NaN);
let [busy, elapsed] = [0, 0];
profile.samples.forEach((id, index) => {
  const frame = frames.get(id);
  const time = profile.timeDeltas[index] ?? 0;
  elapsed += time;
  if (elapsed < Number(values.skip) * 1e6) return;
  if (frame === undefined || frame.functionName === "(idle)" || frame.functionName === "(root)") return;
  busy += time;
  const place = placeOf(frame.url);
  add(
    byFunction,
    `${(frame.functionName || "(anonymous)").slice(0, 60)} ${place}:${frame.lineNumber + 1}`,
    time,
  );
  add(byFile, place === "" ? frame.functionName : place, time);
  add(byFolder, place === "" ? frame.functionName : place.split("/").slice(0, -1).join("/") || place, time);
});
console.log(`${file}: ${Math.round(busy / 1000)} ms busy`);
for (const [title, table] of Object.entries({ folder: byFolder, file: byFile, function: byFunction }))
  print(title, table, title === "function" ? Number(values.top) : 25);

function print(title: string, table: ReadonlyMap<string, number>, top: number): void {
  console.log(`\n  share      ms  ${title} (self time)`);
  const rows = [...table].toSorted(([, a], [, b]) => b - a).slice(0, top);
  for (const [name, time] of rows)
    console.log(
      `${((time / busy) * 100).toFixed(2).padStart(6)} % ${(time / 1000).toFixed(0).padStart(7)}${perCall(time)}  ${name}`,
    );
}

function perCall(time: number): string {
  return Number.isNaN(calls) ? "" : `${(time / calls).toFixed(1).padStart(8)} µs`;
}

function add(table: Map<string, number>, key: string, time: number): void {
  table.set(key, (table.get(key) ?? 0) + time);
}

/** A path from the root; the package of a library; `node:...` as it is; empty for the virtual machine itself. */
function placeOf(url: string): string {
  if (!url.startsWith("file:")) return url;
  const path = relative(root, fileURLToPath(url));
  return path.replace(/^node_modules\//, "");
}

function newest(folder: string): string {
  const files = readdirSync(folder).filter((name) => name.endsWith(".cpuprofile"));
  const [first] = files
    .map((name) => join(folder, name))
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  if (first === undefined) throw new Error(`no profile in ${folder}`);
  return first;
}
