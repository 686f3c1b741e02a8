/**
 * The database of the local cluster: a private MariaDB of this folder of YAML on a free loopback port, or the user's own (DATABASE_URL).
 * Durable as MariaDB is by default (a commit is flushed). The nodes' user has no right to change tables.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Database as Connections } from "../../../operator/src/adapters/mysql/database.ts";
import { messageOf } from "../../../operator/src/adapters/mysql/database-unavailable.ts";
import { parseDatabaseUrl, type DatabaseAddress } from "../../../operator/src/adapters/mysql/database-url.ts";
import { failureOf } from "../../../operator/src/adapters/mysql/failure.ts";
import { findCommand } from "../setup/tools.ts";
import { Child } from "./child.ts";
import { Fault } from "./fault.ts";
import { freeTcpPort } from "./free-port.ts";
import type { House } from "./house.ts";
import { waitFor } from "./wait.ts";

export interface Database {
  readonly operatorUrl: string;
  readonly node: {
    readonly host: string;
    readonly user: string;
    readonly password: string;
    readonly database: string;
  };
  /** Absent where the database is the user's own. */
  readonly server?: Child;
  readonly text: string;
}

/** Starts or reaches the database; what was started is stopped with `cellar`. Throws Fault. */
export async function openDatabase(house: House, cellar: AsyncDisposableStack): Promise<Database> {
  const own = house.options.databaseUrl;
  return own === undefined ? await startPrivate(house, cellar) : await reachOwn(own);
}

/** Where the private MariaDB has its tables. */
export const mariadbFolder = (folder: string): string => join(folder, "mariadb");

async function startPrivate(house: House, cellar: AsyncDisposableStack): Promise<Database> {
  const data = mariadbFolder(house.folder);
  if (!existsSync(data)) await createDataFolder(data);
  // The path of a Unix socket may have 107 bytes at most, a checkout's is longer soon.
  const socketFolder = await mkdtemp(join(tmpdir(), "strowger-"));
  cellar.defer(() => rm(socketFolder, { recursive: true, force: true }));
  const port = await freeTcpPort("127.0.0.1", 3307);
  const [operatorPassword, nodePassword] = [newPassword(), newPassword()];
  const firstWords = join(house.folder, "mariadb-users.sql");
  await writeFile(firstWords, users(operatorPassword, nodePassword), { mode: 0o600 });
  const server = cellar.use(
    new Child(
      {
        name: "database",
        command: findCommand("mariadbd") ?? "mariadbd",
        args: [
          "--no-defaults",
          `--datadir=${data}`,
          `--socket=${join(socketFolder, "mariadb.sock")}`,
          `--pid-file=${join(socketFolder, "mariadb.pid")}`,
          "--bind-address=127.0.0.1",
          `--port=${port}`,
          `--init-file=${firstWords}`,
          "--skip-name-resolve",
          "--character-set-server=utf8mb4",
          "--innodb-buffer-pool-size=64M",
          ...asRoot(),
        ],
        env: {},
        logFile: join(house.folder, "logs", "database.log"),
        patienceMs: 20_000,
      },
      house.say,
    ),
  );
  const up = await waitFor(() => (server.isRunning ? reaches("127.0.0.1", port) : false), 60_000, house.stop);
  if (up !== true) throw new Fault(`MariaDB did not come up (data: ${data}):\n${await server.lastWords()}`);
  server.keepAlive();
  return {
    operatorUrl: `mysql://strowger:${operatorPassword}@127.0.0.1:${port}/strowger`,
    node: { host: `127.0.0.1:${port}`, user: "strowger_node", password: nodePassword, database: "strowger" },
    server,
    text: `MariaDB on 127.0.0.1:${port} (private, data in ${data})`,
  };
}

async function createDataFolder(data: string): Promise<void> {
  const half = `${data}.new`;
  await rm(half, { recursive: true, force: true });
  await mkdir(half, { recursive: true, mode: 0o700 });
  const args = [
    "--no-defaults",
    `--datadir=${half}`,
    "--skip-test-db",
    "--auth-root-authentication-method=socket",
    ...asRoot(),
  ];
  try {
    await promisify(execFile)(findCommand("mariadb-install-db") ?? "mariadb-install-db", args);
  } catch (cause) {
    const words = (cause as { stderr?: string; stdout?: string }).stderr ?? "";
    throw new Fault(
      `MariaDB could not make its data folder ${half}:\n${words.trim().split("\n").slice(-8).join("\n")}`,
      { cause },
    );
  }
  await rename(half, data);
}

/** One statement a line, run at every start of the server, so that the passwords are new each time and known to nobody else. */
function users(operatorPassword: string, nodePassword: string): string {
  return [
    "CREATE DATABASE IF NOT EXISTS strowger CHARACTER SET utf8mb4;",
    "CREATE USER IF NOT EXISTS 'strowger'@'127.0.0.1';",
    "CREATE USER IF NOT EXISTS 'strowger_node'@'127.0.0.1';",
    `ALTER USER 'strowger'@'127.0.0.1' IDENTIFIED BY '${operatorPassword}';`,
    `ALTER USER 'strowger_node'@'127.0.0.1' IDENTIFIED BY '${nodePassword}';`,
    "GRANT ALL PRIVILEGES ON strowger.* TO 'strowger'@'127.0.0.1';",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON strowger.* TO 'strowger_node'@'127.0.0.1';",
    "",
  ].join("\n");
}

async function reachOwn(url: string): Promise<Database> {
  const address = parseDatabaseUrl(url);
  if ("problem" in address) throw new Fault(`DATABASE_URL ${address.problem}`);
  const { host, port, user, password, database } = address;
  const where = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  if ((await reaches(host, port)) === undefined)
    throw new Fault(
      `No MySQL answers at ${where} (from DATABASE_URL). Is it running, and is the address right?`,
    );
  await mustBeUsable(address);
  return {
    operatorUrl: url,
    node: { host: where, user, password, database },
    text: `MySQL at ${where}, database ${database} (DATABASE_URL)`,
  };
}

/** A wrong password, or a database that is absent, is better said here than waited for. */
async function mustBeUsable(address: DatabaseAddress): Promise<void> {
  await using connections = new Connections(address);
  try {
    await connections.rows("SELECT 1");
  } catch (error) {
    const reason = failureOf(error)?.message ?? messageOf(error);
    throw new Fault(`DATABASE_URL names a database that cannot be used. ${reason}`, { cause: error });
  }
}

/** True when a MySQL server greets (its first packet has sequence number 0), undefined otherwise. */
function reaches(host: string, port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 3000 });
    const end = (answer: true | undefined) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("data", (greeting) => end(greeting[3] === 0 ? true : undefined));
    socket.once("error", () => end(undefined));
    socket.once("timeout", () => end(undefined));
    socket.once("close", () => end(undefined));
  });
}

function asRoot(): string[] {
  return process.getuid?.() === 0 ? ["--user=root"] : [];
}

function newPassword(): string {
  return randomBytes(18).toString("base64url");
}
