/**
 * Ends what a run of the tests left on the machine: processes by the folder that their command line names, with all that they started;
 * mounts below it; network namespaces. Containers outlive containerd by design, so this is also how a cluster ends well.
 */
import { readdir, readFile, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "./run-command.ts";
import { runName } from "./namespaces.ts";

export const runFolder = (run: string): string => join(tmpdir(), `strowger-kube-${run}`);

/** Leaves nothing of the run. */
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

/** Removes runs whose process is gone, however it went. */
export async function removeDeadRuns(): Promise<void> {
  const pattern = new RegExp(`^(?:strowger-kube-)?${runName(0).slice(0, -1)}(\\d+)(?:-|$)`);
  const names = [...(await readdir(tmpdir())), ...(await readdir("/run/netns").catch(() => []))];
  const pids = new Set(names.flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number));
  for (const pid of pids) if (!isAlive(pid)) await removeRun(runName(pid));
}

/** Kills every process whose command line names something below `folder`, and their descendants. */
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
    if (state === "Z") continue; // dead already
    parents.set(pid, Number(parent));
    if (pid !== process.pid && line.includes(folder)) found.add(pid);
  }
  for (const pid of parents.keys()) {
    for (let up = parents.get(pid); up !== undefined && up > 1; up = parents.get(up))
      if (found.has(up) && pid !== process.pid) found.add(pid);
  }
  return [...found];
}

/** The ids of the containers that containerd keeps below a folder. */
async function containersOf(folder: string): Promise<string[]> {
  const nodes = await readdir(folder).catch(() => []);
  const tasks = nodes.map((node) =>
    readdir(join(folder, node, "containerd/state/io.containerd.runtime.v2.task/k8s.io")).catch(() => []),
  );
  return (await Promise.all(tasks)).flat();
}

/** runc made one for each container, in each hierarchy that the kernel has. */
async function removeControlGroups(containers: readonly string[]): Promise<void> {
  const top = "/sys/fs/cgroup";
  const hierarchies = [top, ...(await readdir(top).catch(() => [])).map((name) => join(top, name))];
  for (const place of hierarchies.map((hierarchy) => join(hierarchy, "k8s.io"))) {
    for (const id of containers) await rmdir(join(place, id)).catch(() => undefined);
    await rmdir(place).catch(() => undefined); // other runs may still have theirs
  }
}

async function unmountBelow(folder: string): Promise<void> {
  const mounts = (await readFile("/proc/mounts", "utf8")).split("\n").map((line) => line.split(" ")[1] ?? "");
  for (const place of mounts.filter((path) => path.startsWith(`${folder}/`)).reverse())
    await runCommand("umount", ["-l", place]).catch(() => undefined);
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
    // gone already
  }
}
