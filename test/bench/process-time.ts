/** Processor time of processes, user and system, and their memory, from /proc (Linux). */
import { readdirSync, readFileSync } from "node:fs";

const ticksPerSecond = 100; // USER_HZ, which is 100 on all usual Linux systems

/** The microseconds of processor time of a process, and optionally of its living descendants. */
export function cpuMicroseconds(pid: number, withChildren = false): number {
  const own = ((ticksOf(pid) ?? 0) / ticksPerSecond) * 1e6;
  if (!withChildren) return own;
  return own + childrenOf(pid).reduce((sum, child) => sum + cpuMicroseconds(child, true), 0);
}

function ticksOf(pid: number): number | undefined {
  const fields = statOf(pid);
  return fields === undefined ? undefined : Number(fields[11]) + Number(fields[12]);
}

/** The maximum resident memory of a process, in MiB. */
export const peakMemory = (pid: number): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) / 1024;

const childrenOf = (parent: number): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => Number(statOf(pid)?.[1]) === parent);

/** The fields after the command's name, which may contain spaces: state is [0], parent [1], utime [11], stime [12]. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}
