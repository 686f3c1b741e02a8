/** Runs the real command `npm start` on a separate folder of YAML. Its data are deleted after the test. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { dataFolder } from "../../../cli/src/up/data-folder.ts";

export const checkout = resolve(import.meta.dirname, "../../..");

/** A test starts several exchanges one after the other, each with its own database. */
export const testTimeoutMs = 400_000;

/** Creates a folder with these files. It is removed with its data after the test. */
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

/** A user with its own Secret; the password is the name with `-pw`. */
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

  /** Stopped after the test at the latest. Without npm the exit status after Ctrl-C is visible; npm itself ends by the signal. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}, isByNpm = false) {
    const [command, ...before] = isByNpm ? ["npm", "start", "--"] : [process.execPath, "cli/start.mjs"];
    // Its own process group, so that the test can send Ctrl-C to all of its processes as a terminal does.
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

  /** Sends the signal to the command's process group, as a terminal does. */
  signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-(this.#child.pid ?? 0), signal);
    } catch {
      // it has ended
    }
  }

  /** Resolves when the output has the text. Rejects with the output after the time limit, or when the command has ended before. */
  async waitForOutput(what: string | RegExp, withinMs = 150_000): Promise<void> {
    const deadline = Date.now() + withinMs;
    const hasOutput = (): boolean =>
      typeof what === "string" ? this.output.includes(what) : what.test(this.output);
    while (!hasOutput()) {
      if (this.#child.exitCode !== null || Date.now() > deadline)
        throw new Error(`${String(what)} is not in the output:\n${this.output}`);
      await sleep(50);
    }
  }
}

/** Runs `npm start` and waits for its end. */
export async function runUp(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number | null; readonly output: string }> {
  const up = new UpProcess(args, env, true);
  const status = await up.exited;
  return { status, output: up.output };
}
