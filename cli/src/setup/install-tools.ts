/**
 * Installs missing programs with apt-get, if this process is root on Debian. No service of the distribution is started.
 * Otherwise it changes nothing and returns a message that lists the packages to install.
 */
import { spawn } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { missingTools, type Tool, type ToolName } from "./tools.ts";

const policyFile = "/usr/sbin/policy-rc.d";

/** Undefined if all programs are installed; otherwise a message for the user with the missing programs and the reason. */
export async function installTools(names: readonly ToolName[]): Promise<string | undefined> {
  const missing = missingTools(names);
  if (missing.length === 0) return undefined;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return describeMissing(missing);
  const packages = packagesOf(missing);
  const failure = await withoutServices(async () => {
    return (
      (await aptGet("package lists", ["update"])) ??
      (await aptGet(packages.join(" "), ["install", "--no-install-recommends", ...packages]))
    );
  });
  const stillMissing = missingTools(names);
  return stillMissing.length === 0
    ? undefined
    : `${failure ?? "apt-get succeeded, but programs are still missing."}\n${describeMissing(stillMissing)}`;
}

function describeMissing(missing: readonly Tool[]): string {
  const packages = packagesOf(missing).join(" ");
  return `Not installed: ${missing.map((tool) => tool.command).join(", ")}. On Debian or Ubuntu: sudo apt-get install ${packages}`;
}

function packagesOf(missing: readonly Tool[]): string[] {
  return [...new Set(missing.map((tool) => tool.debianPackage))];
}

/** Debian's package scripts run policy-rc.d before they start a service; exit status 101 forbids the start. An existing file stays. */
async function withoutServices<T>(work: () => Promise<T>): Promise<T> {
  const isCreatedHere = !existsSync(policyFile);
  const remove = () => rmSync(policyFile, { force: true });
  if (isCreatedHere) {
    writeFileSync(policyFile, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
    process.once("exit", remove);
  }
  try {
    return await work();
  } finally {
    if (isCreatedHere) {
      remove();
      process.off("exit", remove);
    }
  }
}

/** Runs apt-get and shows one line of progress. Returns undefined, or the end of its output if it failed. */
function aptGet(subject: string, args: readonly string[]): Promise<string | undefined> {
  const options = ["-y", "-q", "-o", "DPkg::Lock::Timeout=120", "-o", "APT::Status-Fd=3"];
  const child = spawn("apt-get", [...options, ...args], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
  });
  let output = "";
  const append = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-3000));
  child.stdout?.on("data", append);
  child.stderr?.on("data", append);
  const progress = showProgress(`Debian: ${subject}`, child.stdio[3] as Readable);
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(`apt-get could not be started: ${error.message}`));
    child.on("close", (status) => {
      progress.end(status === 0 ? "done" : "failed");
      resolve(status === 0 ? undefined : `apt-get ${args[0]} failed (status ${status}):\n${output}`);
    });
  });
}

/** apt's status lines are `dlstatus:step:percent:text` during the download and `pmstatus:package:percent:text` during the installation. */
function showProgress(title: string, status: Readable): { end(result: string): void } {
  const terminal = process.stderr.isTTY;
  let shown = -25;
  if (!terminal) process.stderr.write(`${title} ...\n`);
  status.on("data", (chunk: Buffer) => {
    const [, , percent, text] = /^(dl|pm)status:[^:]*:([\d.]+):(.*)$/m.exec(chunk.toString()) ?? [];
    if (percent === undefined) return;
    const done = Math.round(Number(percent));
    if (terminal) process.stderr.write(`\r\x1b[K${title}: ${done} % ${(text ?? "").slice(0, 60)}`);
    else if (done >= shown + 25) {
      process.stderr.write(`  ${done} % ${text}\n`);
      shown = done;
    }
  });
  return { end: (result) => process.stderr.write(`${terminal ? "\r\x1b[K" : ""}${title}: ${result}\n`) };
}
