/** The machine, the versions and the commit of a run. */
import { spawnSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";
import type { Machine } from "./results.ts";

const firstMatch = (command: string, args: readonly string[], pattern: RegExp): string => {
  const { stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? "unknown";
};

export function machine(): Machine {
  const [first] = cpus();
  return {
    processors: `${cpus().length} × ${first?.model.trim() ?? "unknown"}`,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `Linux ${release()}`,
  };
}

export const versions = (): Record<string, string> => ({
  "Node.js": process.versions.node,
  Kamailio: firstMatch("kamailio", ["-v"], /kamailio (\S+)/),
  MariaDB: firstMatch("mariadbd", ["--version"], /Ver (\S+)/),
  sipp: firstMatch("sipp", ["-v"], /SIPp (v[\d.]+)/),
});

/** With `+` if the working tree has changes. */
export function commit(): string {
  const short = firstMatch("git", ["rev-parse", "--short", "HEAD"], /^(\S+)/);
  const changes = spawnSync("git", ["status", "--porcelain"], { encoding: "utf8" }).stdout;
  return changes.trim() === "" ? short : `${short}+`;
}
