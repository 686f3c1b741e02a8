/** Processor time and memory of the processes around the operator. */
import { readdirSync, readFileSync } from "node:fs";
import { cpuMicroseconds } from "../process-time.ts";

type Processes = Readonly<Record<string, number>>;

/** The processes that the benchmark started, by the name of the program. */
export function childrenOf(parent: number): Processes {
  const found = readdirSync("/proc").flatMap((pid): [string, number][] => {
    try {
      const stat = /^\d+ \((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "latin1"));
      return /^\d+$/.test(pid) && Number(stat?.[2]) === parent ? [[stat?.[1] ?? "", Number(pid)]] : [];
    } catch {
      return [];
    }
  });
  return Object.fromEntries(found.filter(([name]) => ["kube-apiserver", "etcd", "mariadbd"].includes(name)));
}

/** Microseconds of these processes, and of this one as `client`. */
export function cpuOf(processes: Processes): Processes {
  const { user, system } = process.cpuUsage();
  const others = Object.entries(processes).map(([name, pid]): [string, number] => [
    name,
    cpuMicroseconds([pid]),
  ]);
  return Object.fromEntries<number>([["client", user + system], ...others]);
}

export /** In bytes. */
const memoryOf = (pid: number, field: "VmRSS" | "VmHWM" | "RssAnon" = "VmRSS"): number =>
  Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) *
  1024;
