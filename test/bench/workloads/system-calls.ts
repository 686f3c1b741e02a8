/** The system calls of a contestant for one call or REGISTER, counted by strace. Other load on the machine hardly changes them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { shipped, strowger, tuned } from "../contestants/names.ts";
import { measure } from "../load.ts";
import type { BenchOptions } from "../options.ts";
import { processTree } from "../process-time.ts";
import type { SystemCalls } from "../results.ts";
import type { Stage } from "../stage.ts";
import { chosen } from "./loads.ts";

const defaultRate = 200; // strace slows a process by several times
const attachMs = 700;

export async function countSystemCalls(
  stage: Stage,
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<SystemCalls[]> {
  const found: SystemCalls[] = [];
  const rate = options.rate ?? defaultRate;
  for (const load of ["trusted", "challenged", "register"] as const)
    for (const contestant of chosen([shipped, tuned, strowger], options)) {
      const target = await stage.target(contestant);
      const trace = startTrace(target.pids);
      await new Promise((resolve) => setTimeout(resolve, attachMs));
      const { finished, failed } = await measure(target, {
        kind: load,
        rate,
        seconds: options.seconds,
        warmUp: 0,
      });
      const counts = await trace.end();
      const perUnit = [...counts].map(([name, count]): [string, number] => [name, count / finished]);
      const result = { load, contestant, failed, counts: Object.fromEntries(perUnit) };
      found.push(result);
      progress(`system calls, ${load}, ${contestant}: ${systemCallsText(result)}`);
    }
  return found;
}

/** The most frequent ones, after the sum. */
function systemCallsText({ counts }: SystemCalls): string {
  const sorted = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  const sum = sorted.reduce((total, [, count]) => total + count, 0);
  const shown = sorted.filter(([, count]) => count >= 0.05);
  return `${sum.toFixed(1)} (${shown.map(([name, count]) => `${name} ${count.toFixed(2)}`).join(", ")})`;
}

function startTrace(pids: readonly number[]): { end(): Promise<Map<string, number>> } {
  const attached = processTree(pids).flatMap((pid) => ["-p", String(pid)]);
  const trace = spawn("strace", ["-c", "-f", ...attached], { stdio: ["ignore", "ignore", "pipe"] });
  let output = "";
  trace.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(trace, "exit"); // rejects if there is no strace
  exited.catch(() => undefined);
  const end = async (): Promise<Map<string, number>> => {
    trace.kill("SIGINT");
    await exited;
    return countsOf(output);
  };
  return { end };
}

/** strace's table has the columns: % time, seconds, usecs/call, calls, errors (may be empty), syscall. */
function countsOf(table: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of table.split("\n")) {
    const fields = line.trim().split(/\s+/);
    const name = fields.at(-1) ?? "";
    if (/^\d+\.\d/.test(fields[0] ?? "") && name !== "total") counts.set(name, Number(fields[3]));
  }
  return counts;
}
