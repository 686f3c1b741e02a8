/** The processor time of processes and of the machine, and the memory of processes, from /proc (Linux). */
import { readdirSync, readFileSync } from "node:fs";

const ticksPerSecond = 100; // USER_HZ, which is 100 on all usual Linux systems
const microsecondsPerTick = 1e6 / ticksPerSecond;

/** Microseconds, user and system, of all threads of these processes and of their living descendants. */
export function cpuMicroseconds(pids: readonly number[]): number {
  const ticks = processTree(pids).map((pid) => {
    const fields = statOf(pid);
    return fields === undefined ? 0 : Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, count) => sum + count, 0) * microsecondsPerTick;
}

/** Microseconds of the children of this process that have ended. */
export function endedChildrenMicroseconds(): number {
  const fields = statOf(process.pid) ?? [];
  return (Number(fields[13]) + Number(fields[14])) * microsecondsPerTick;
}

/** Microseconds that all processors of the machine were busy with anything. */
export function machineMicroseconds(): number {
  const [, ...fields] = (/^cpu .*$/m.exec(readFileSync("/proc/stat", "latin1"))?.[0] ?? "").split(/\s+/);
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0] = fields.map(Number);
  return (user + nice + system + interrupts + softInterrupts) * microsecondsPerTick;
}

/** The resident memory of processes and their descendants, in bytes. A page that several of them share is counted once (PSS). */
export function memoryBytes(pids: readonly number[]): number {
  const sizes = processTree(pids).map((pid) => {
    const text = readOrEmpty(`/proc/${pid}/smaps_rollup`);
    return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** These processes and their living descendants. */
export function processTree(pids: readonly number[]): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc"))
    if (/^\d+$/.test(name)) parents.set(Number(name), Number(statOf(Number(name))?.[1] ?? 0));
  const found = [...pids];
  // `found` grows while the loop reads it: children of children are appended.
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
  return found;
}

/** The fields after the command's name, which may contain spaces: state is [0], parent [1], utime [11], stime [12], cutime [13], cstime [14]. */
function statOf(pid: number): string[] | undefined {
  const text = readOrEmpty(`/proc/${pid}/stat`);
  return text === "" ? undefined : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
