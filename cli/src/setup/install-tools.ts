/**
 * Brings absent tools onto the machine: as root on Debian with apt-get, and so that no service of the distribution starts;
 * elsewhere nothing is touched and the caller gets one message that says what to install.
 */
import { spawn } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { missingTools, type Tool, type ToolName } from "./tools.ts";

const policyFile = "/usr/sbin/policy-rc.d";

/** Returns the tools that are still absent, with the reason as a text for the user; undefined when all are there. */
export async function installTools(names: readonly ToolName[]): Promise<string | undefined> {
  const missing = missingTools(names);
  if (missing.length === 0) return undefined;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return advice(missing);
  const packages = packagesOf(missing);
  const failure = await withoutServices(async () => {
    return (
      (await aptGet("package lists", ["update"])) ??
      (await aptGet(packages.join(" "), ["install", "--no-install-recommends", ...packages]))
    );
  });
  const left = missingTools(names);
  return left.length === 0
    ? undefined
    : `${failure ?? "apt-get ended well, yet programs are absent."}\n${advice(left)}`;
}

function advice(missing: readonly Tool[]): string {
  const packages = packagesOf(missing).join(" ");
  return `Not installed: ${missing.map((tool) => tool.command).join(", ")}. On Debian or Ubuntu: sudo apt-get install ${packages}`;
}

function packagesOf(missing: readonly Tool[]): string[] {
  return [...new Set(missing.map((tool) => tool.debianPackage))];
}

/** Debian's init scripts ask policy-rc.d before they start a service: 101 forbids it. One that is there already stays. */
async function withoutServices<T>(work: () => Promise<T>): Promise<T> {
  const ours = !existsSync(policyFile);
  const remove = () => rmSync(policyFile, { force: true });
  if (ours) {
    writeFileSync(policyFile, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
    process.once("exit", remove);
  }
  try {
    return await work();
  } finally {
    if (ours) {
      remove();
      process.off("exit", remove);
    }
  }
}

/** Runs apt-get with one line of progress. Returns undefined, or its last words where it failed. */
function aptGet(subject: string, args: readonly string[]): Promise<string | undefined> {
  const options = ["-y", "-q", "-o", "DPkg::Lock::Timeout=120", "-o", "APT::Status-Fd=3"];
  const child = spawn("apt-get", [...options, ...args], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
  });
  let words = "";
  const listen = (chunk: Buffer) => (words = (words + chunk.toString()).slice(-3000));
  child.stdout?.on("data", listen);
  child.stderr?.on("data", listen);
  const progress = showProgress(`Debian: ${subject}`, child.stdio[3] as Readable);
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(`apt-get could not be started: ${error.message}`));
    child.on("close", (status) => {
      progress.end(status === 0 ? "done" : "failed");
      resolve(status === 0 ? undefined : `apt-get ${args[0]} failed (status ${status}):\n${words}`);
    });
  });
}

/** apt's status lines are `dlstatus:step:percent:text` while it loads and `pmstatus:package:percent:text` while it installs. */
function showProgress(title: string, status: Readable): { end(word: string): void } {
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
  return { end: (word) => process.stderr.write(`${terminal ? "\r\x1b[K" : ""}${title}: ${word}\n`) };
}
