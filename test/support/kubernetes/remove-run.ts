/**
 * Removes everything that a test run left on the machine: processes with the run's folder in their command line, and their descendants;
 * mounts below the folder; network namespaces. Containers continue without containerd by design, so a cluster uses this for its normal end too.
 */
import { readdir, readFile, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "./run-command.ts";
import { runName } from "./namespaces.ts";

export const runFolder = (run: string): string => join(tmpdir(), `strowger-kube-${run}`);

/** Removes everything of the run. */
export async function removeRun(run: string): Promise<void> {
  const folder = runFolder(run);
  const containers = await containersOf(folder);
  await killTree(`${folder}/`);
  await removeControlGroups(containers);
  await unmountBelow(folder);
  const namespaces = await readdir("/run/netns").catch(() => []);
  for (const name of namespaces.filter((one) => one.startsWith(`${run}-`)))
    await runCommand("ip", ["netns", "del", name]).catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
}

/** Removes the runs whose process has ended. */
export async function removeDeadRuns(): Promise<void> {
  const pattern = new RegExp(`^(?:strowger-kube-)?${runName(0).slice(0, -1)}(\\d+)(?:-|$)`);
  const names = [...(await readdir(tmpdir())), ...(await readdir("/run/netns").catch(() => []))];
  const pids = new Set(names.flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number));
  for (const pid of pids) if (!isAlive(pid)) await removeRun(runName(pid));
}

/** Kills every process with a path below `folder` in its command line, and its descendants. */
export async function killTree(folder: string): Promise<void> {
  for (let round = 0; round < 50; round++) {
    const found = await processesOf(folder);
    if (found.length === 0) return;
    for (const pid of found) kill(pid);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function processesOf(folder: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = new Map<number, number>();
  const found = new Set<number>();
  for (const pid of pids) {
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    const [state = "Z", parent = "0"] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z") continue; // a zombie
    parents.set(pid, Number(parent));
    if (pid !== process.pid && line.includes(folder)) found.add(pid);
  }
  for (const pid of parents.keys()) {
    for (let up = parents.get(pid); up !== undefined && up > 1; up = parents.get(up))
      if (found.has(up) && pid !== process.pid) found.add(pid);
  }
  return [...found];
}

/** The ids of containerd's containers below a folder. */
async function containersOf(folder: string): Promise<string[]> {
  const nodes = await readdir(folder).catch(() => []);
  const tasks = nodes.map((node) =>
    readdir(join(folder, node, "containerd/state/io.containerd.runtime.v2.task/k8s.io")).catch(() => []),
  );
  return (await Promise.all(tasks)).flat();
}

/** Removes the control groups that runc made: one for each container in each hierarchy of the kernel. */
async function removeControlGroups(containers: readonly string[]): Promise<void> {
  const top = "/sys/fs/cgroup";
  const hierarchies = [top, ...(await readdir(top).catch(() => [])).map((name) => join(top, name))];
  for (const path of hierarchies.map((hierarchy) => join(hierarchy, "k8s.io"))) {
    for (const id of containers) await rmdir(join(path, id)).catch(() => undefined);
    await rmdir(path).catch(() => undefined); // other runs may still have theirs
  }
}

async function unmountBelow(folder: string): Promise<void> {
  const mounts = (await readFile("/proc/mounts", "utf8")).split("\n").map((line) => line.split(" ")[1] ?? "");
  for (const path of mounts.filter((mount) => mount.startsWith(`${folder}/`)).reverse())
    await runCommand("umount", ["-l", path]).catch(() => undefined);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it has ended
  }
}
