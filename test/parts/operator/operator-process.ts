/** The operator as a process with its own folder of YAML. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface ObjectStatus {
  readonly kind: string;
  readonly name: string;
  readonly status?: {
    readonly conditions: readonly {
      readonly status: string;
      readonly reason: string;
      readonly message: string;
    }[];
  };
}

export class OperatorProcess {
  readonly folder = mkdtempSync(join(tmpdir(), "strowger-files-"));
  readonly data = mkdtempSync(join(tmpdir(), "strowger-data-"));
  readonly #mysqlUrl: string;
  readonly #checkout: string;
  #child: ChildProcess | undefined;
  #port = 0;
  log = "";

  constructor(mysqlUrl: string, checkout = join(import.meta.dirname, "../../..")) {
    this.#mysqlUrl = mysqlUrl;
    this.#checkout = checkout;
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  remove(file: string): void {
    rmSync(join(this.folder, file));
  }

  async start(): Promise<void> {
    this.#port = await freePort();
    this.#child = spawn(
      "setpriv",
      ["--pdeathsig=KILL", process.execPath, join(this.#checkout, "operator/src/main.ts")],
      {
        env: {
          ...process.env,
          STROWGER_FILES: this.folder,
          STROWGER_DATA: this.data,
          STROWGER_MYSQL_URL: this.#mysqlUrl,
          STROWGER_HTTP: `127.0.0.1:${this.#port}`,
          STROWGER_LOG_LEVEL: "debug",
        },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (chunk: Buffer) => (this.log += chunk.toString()));
    await this.eventually("the operator listens", async () => (await this.get("/healthz")).ok);
  }

  get(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#port}${path}`);
  }

  /** The reason and the message of an object's condition Ready. */
  async ready(kind: string, name: string): Promise<{ readonly reason: string; readonly message: string }> {
    const { objects } = (await (await this.get("/status")).json()) as {
      readonly objects: readonly ObjectStatus[];
    };
    const found = objects.find((object) => object.kind === kind && object.name === name);
    return found?.status?.conditions[0] ?? { reason: "none", message: "" };
  }

  async becomes(kind: string, name: string, reason: string, within?: number): Promise<string> {
    await this.eventually(
      `${kind} ${name} is ${reason}`,
      async () => (await this.ready(kind, name)).reason === reason,
      within,
    );
    return (await this.ready(kind, name)).message;
  }

  async eventually(what: string, holds: () => Promise<boolean>, within = 10_000): Promise<void> {
    const deadline = performance.now() + within;
    for (;;) {
      if (await holds().catch(() => false)) return;
      if (this.#child?.exitCode !== null)
        throw new Error(`the operator ended before: ${what}\n${this.log.slice(-3_000)}`);
      if (performance.now() > deadline)
        throw new Error(`not within ${within} ms: ${what}\n${this.log.slice(-3_000)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The exit status, when the process has ended; null if a signal ended it. */
  async ended(): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return child.exitCode;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.#child?.kill(signal);
    return this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
    for (const folder of [this.folder, this.data]) rmSync(folder, { recursive: true, force: true });
  }
}

/** An exchange with one domain, example.com, realm test. */
export const exchange = `apiVersion: sip.strowger.dev/v1alpha1
kind: SipCluster
metadata: { name: exchange }
spec: {}
---
apiVersion: sip.strowger.dev/v1alpha1
kind: SipDomain
metadata: { name: example }
spec:
  clusterRef: { name: exchange }
  domain: Example.com
  realm: test
`;

/** A user with its own Secret; `more` has additional lines of the spec. */
export const userYaml = (
  name: string,
  password: string,
  more = "",
  username = name,
): string => `apiVersion: v1
kind: Secret
metadata: { name: ${name}-secret }
stringData: { password: ${password} }
---
apiVersion: sip.strowger.dev/v1alpha1
kind: SipUser
metadata: { name: ${name} }
spec:
  domainRef: { name: example }
  username: ${username}
  passwordSecretRef: { name: ${name}-secret }
${more}`;

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
