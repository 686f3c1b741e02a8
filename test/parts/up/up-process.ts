/** `npm start` as a person runs it: the real command on a folder of YAML of its own, whose data go with the test. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { dataFolder } from "../../../cli/src/up/data-folder.ts";

export const checkout = resolve(import.meta.dirname, "../../..");

/** A test starts several exchanges one after the other, each with a database of its own. */
export const patience = 400_000;

/** A folder with these files, which is removed with its data after the test. */
export function yamlFolder(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), "strowger-up-"));
  onTestFinished(() => {
    rmSync(dataFolder(checkout, path), { recursive: true, force: true });
    rmSync(path, { recursive: true, force: true });
  });
  writeYaml(path, files);
  return path;
}

export function writeYaml(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

const header = (kind: string, name: string): string =>
  `apiVersion: sip.strowger.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\n`;

export const cluster = (name: string): string => `${header("SipCluster", name)}spec: { replicas: 2 }\n`;

export const domain = (name: string, clusterName: string, served: string): string =>
  `${header("SipDomain", name)}spec: { clusterRef: { name: ${clusterName} }, domain: ${served} }\n`;

/** A user with a Secret of its own; the password is its name and `-pw`. */
export const user = (name: string, domainName: string): string =>
  `apiVersion: v1\nkind: Secret\nmetadata: { name: ${name} }\nstringData: { password: ${name}-pw }\n---\n${header("SipUser", name)}spec: { domainRef: { name: ${domainName} }, username: ${name}, passwordSecretRef: { name: ${name} } }\n`;

/** An exchange of two users. */
export const exchange = (clusterName: string, served: string): Readonly<Record<string, string>> => ({
  "cluster.yaml": cluster(clusterName),
  "domain.yaml": domain("home", clusterName, served),
  "alice.yaml": user("alice", "home"),
  "bob.yaml": user("bob", "home"),
});

export class UpProcess {
  readonly #child: ChildProcess;
  readonly exited: Promise<number | null>;
  output = "";

  /** Ended after the test at the latest. Without npm, which ends by the signal itself, its exit status is seen after Ctrl-C, too. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}, isByNpm = false) {
    const [command, ...before] = isByNpm ? ["npm", "start", "--"] : [process.execPath, "cli/start.mjs"];
    // A process group of its own, so that Ctrl-C can be sent to all of it as a terminal does.
    this.#child = spawn(command ?? "npm", [...before, ...args], {
      cwd: checkout,
      env: { ...process.env, DATABASE_URL: "", ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    this.exited = new Promise((end) => this.#child.once("close", end));
    onTestFinished(async () => {
      this.signal("SIGTERM");
      await this.exited;
    });
  }

  /** To the command and all of its processes that a terminal would reach. */
  signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-(this.#child.pid ?? 0), signal);
    } catch {
      // it has ended
    }
  }

  /** Resolves when the output has it. Rejects with the output where it does not come, or the command ended before. */
  async says(what: string | RegExp, withinMs = 150_000): Promise<void> {
    const deadline = Date.now() + withinMs;
    const isSaid = (): boolean =>
      typeof what === "string" ? this.output.includes(what) : what.test(this.output);
    while (!isSaid()) {
      if (this.#child.exitCode !== null || Date.now() > deadline)
        throw new Error(`${String(what)} was not said:\n${this.output}`);
      await sleep(50);
    }
  }
}

/** `npm start`, to its end. */
export async function runUp(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number | null; readonly output: string }> {
  const up = new UpProcess(args, env, true);
  const status = await up.exited;
  return { status, output: up.output };
}
