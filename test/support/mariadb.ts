/** A private MariaDB for one test file, with its own data folder and its own port on 127.0.0.1. It ends with the test process. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { createConnection, type Connection } from "mysql2/promise";
import { inNamespace } from "./child.ts";

export interface TestMariadb {
  /** `mysql://root@127.0.0.1:port/strowger`; the database exists and is empty. */
  readonly url: string;
  /** The same without a database. */
  readonly adminUrl: string;
  readonly port: number;
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Ends the server. The data are deleted at disposal. */
  stop(): Promise<void>;
  /** `kill -9`. */
  crash(): Promise<void>;
  /** Starts it again on the same data and port. */
  restart(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface MariadbOptions {
  /** The folder for the data, which is not deleted. Default: a temporary folder. */
  readonly dir?: string;
  /** Further options of mariadbd. */
  readonly args?: readonly string[];
  /** Further environment variables of mariadbd; `TZ` is its time zone. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The network namespace and address of the server; default: this namespace, 127.0.0.1. The test connects by its socket file. */
  readonly host?: { readonly namespace: string; readonly address: string };
}

export async function startMariadb(options: MariadbOptions = {}): Promise<TestMariadb> {
  const folder = options.dir ?? (await mkdtemp(join(tmpdir(), "strowger-mariadb-")));
  const port = options.host === undefined ? await freePort() : 3306;
  install(folder);
  let server = await run(folder, port, options);
  const own = ownAccess(folder, port, options);
  const address = options.host?.address ?? "127.0.0.1";
  let connection: Connection | undefined;
  const connect = async (): Promise<Connection> => {
    const opened = await createConnection({ ...own, database: "strowger" });
    return opened.on("error", () => (connection = undefined));
  };
  const query = async (sql: string, values: readonly unknown[] = []): Promise<never[]> => {
    connection ??= await connect();
    const [rows] = await connection.query(sql, [...values]);
    return rows as never[];
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    connection?.destroy();
    connection = undefined;
    if (server.exitCode === null && server.signalCode === null) {
      const exited = once(server, "exit");
      server.kill(signal);
      await exited;
    }
  };
  const first = await createConnection(own);
  await first.query("CREATE DATABASE IF NOT EXISTS strowger CHARACTER SET utf8mb4");
  await first.end();
  return {
    port,
    url: `mysql://root@${address}:${port}/strowger`,
    adminUrl: `mysql://root@${address}:${port}`,
    query,
    stop: () => end("SIGTERM"),
    crash: () => end("SIGKILL"),
    restart: async () => {
      server = await run(folder, port, options);
    },
    [Symbol.asyncDispose]: async () => {
      await end("SIGKILL");
      if (options.dir === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The temporary tables of two servers with one process id, in namespaces of their own, have one name: each server has its own folder for them. */
function install(folder: string): void {
  const { status, stdout, stderr } = spawnSync(
    "mariadb-install-db",
    [
      "--no-defaults",
      `--datadir=${join(folder, "data")}`,
      `--tmpdir=${folder}`,
      `--user=${userInfo().username}`,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
      "--skip-name-resolve",
    ],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`mariadb-install-db failed: ${stdout}${stderr}`);
}

/** The test's own connection options. */
const ownAccess = (folder: string, port: number, { host }: MariadbOptions) =>
  host === undefined
    ? ({ host: "127.0.0.1", port, user: "root" } as const)
    : ({ socketPath: join(folder, "socket"), user: "root" } as const);

async function run(folder: string, port: number, options: MariadbOptions): Promise<ChildProcess> {
  const { host, args = [], environment } = options;
  const server = spawn(
    "setpriv", // the kernel kills the server when this process ends for any reason
    [
      "--pdeathsig=KILL",
      ...(host === undefined ? [] : inNamespace(host.namespace)),
      "mariadbd",
      "--no-defaults",
      `--user=${userInfo().username}`,
      `--datadir=${join(folder, "data")}`,
      `--tmpdir=${folder}`,
      `--socket=${join(folder, "socket")}`,
      `--pid-file=${join(folder, "pid")}`,
      `--port=${port}`,
      "--skip-networking=0",
      `--bind-address=${host?.address ?? "127.0.0.1"}`,
      "--skip-name-resolve",
      "--innodb-buffer-pool-size=32M",
      "--innodb-log-file-size=16M",
      "--innodb-flush-log-at-trx-commit=2",
      "--performance-schema=OFF",
      "--max-connections=200",
      ...args,
    ],
    { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...environment } },
  );
  let errors = "";
  server.stderr?.on("data", (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4_000)));
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline && server.exitCode === null) {
    try {
      const connection = await createConnection(ownAccess(folder, port, options));
      await connection.end();
      return server;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`mariadbd did not start: ${errors}`);
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
