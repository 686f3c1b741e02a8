/**
 * The database of the local exchange: a private MariaDB for this folder of YAML on a free loopback port, or an external one
 * (DATABASE_URL). MariaDB's default durability is used: a commit is flushed. The nodes' MySQL user cannot change the schema.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Database } from "../../../operator/src/adapters/mysql/database.ts";
import { messageOf } from "../../../operator/src/adapters/mysql/database-unavailable.ts";
import { parseDatabaseUrl, type DatabaseAddress } from "../../../operator/src/adapters/mysql/database-url.ts";
import { failureOf } from "../../../operator/src/adapters/mysql/failure.ts";
import { findCommand } from "../setup/tools.ts";
import { Child } from "./child.ts";
import { freeTcpPort } from "./free-port.ts";
import { StartupError } from "./startup-error.ts";
import type { UpDependencies } from "./up-dependencies.ts";
import { waitFor } from "./wait.ts";

export interface DatabaseAccess {
  readonly operatorUrl: string;
  readonly node: {
    readonly host: string;
    readonly user: string;
    readonly password: string;
    readonly database: string;
  };
  /** False: the database is external (DATABASE_URL). */
  readonly isPrivate: boolean;
  /** One line for the summary. */
  readonly description: string;
}

/** Starts the private database, or checks the external one. Disposing `resources` stops the private one. Throws StartupError. */
export async function openDatabase(
  deps: UpDependencies,
  resources: AsyncDisposableStack,
): Promise<DatabaseAccess> {
  const url = deps.options.databaseUrl;
  return url === undefined ? await startPrivate(deps, resources) : await checkExternal(url);
}

/** The data directory of the private MariaDB. */
export const mariadbFolder = (folder: string): string => join(folder, "mariadb");

async function startPrivate(deps: UpDependencies, resources: AsyncDisposableStack): Promise<DatabaseAccess> {
  const data = mariadbFolder(deps.dataFolder);
  if (!existsSync(data)) await createDataFolder(data);
  // The path of a Unix socket may have at most 107 bytes; a path in the checkout can be longer.
  const socketFolder = await mkdtemp(join(tmpdir(), "strowger-"));
  resources.defer(() => rm(socketFolder, { recursive: true, force: true }));
  const port = await freeTcpPort("127.0.0.1", 3307);
  const [operatorPassword, nodePassword] = [newPassword(), newPassword()];
  const initFile = join(deps.dataFolder, "mariadb-users.sql");
  await writeFile(initFile, userStatements(operatorPassword, nodePassword), { mode: 0o600 });
  const server = resources.use(
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
          `--init-file=${initFile}`,
          "--skip-name-resolve",
          "--character-set-server=utf8mb4",
          "--innodb-buffer-pool-size=64M",
          ...userOption(),
        ],
        env: {},
        logFile: join(deps.dataFolder, "logs", "database.log"),
        stopTimeoutMs: 20_000,
      },
      deps.print,
    ),
  );
  const started = await waitFor(
    () => (server.isRunning ? isMysqlServer("127.0.0.1", port) : false),
    60_000,
    deps.stop,
  );
  if (started !== true)
    throw new StartupError(`MariaDB did not start (data: ${data}):\n${await server.lastLogLines()}`);
  server.keepAlive();
  return {
    operatorUrl: `mysql://strowger:${operatorPassword}@127.0.0.1:${port}/strowger`,
    node: { host: `127.0.0.1:${port}`, user: "strowger_node", password: nodePassword, database: "strowger" },
    isPrivate: true,
    description: `MariaDB on 127.0.0.1:${port} (private, data in ${data})`,
  };
}

async function createDataFolder(data: string): Promise<void> {
  const incomplete = `${data}.new`;
  await rm(incomplete, { recursive: true, force: true });
  await mkdir(incomplete, { recursive: true, mode: 0o700 });
  const args = [
    "--no-defaults",
    `--datadir=${incomplete}`,
    "--skip-test-db",
    "--auth-root-authentication-method=socket",
    ...userOption(),
  ];
  try {
    await promisify(execFile)(findCommand("mariadb-install-db") ?? "mariadb-install-db", args);
  } catch (cause) {
    const stderr = (cause as { stderr?: string }).stderr ?? "";
    throw new StartupError(
      `MariaDB could not create its data folder ${incomplete}:\n${stderr.trim().split("\n").slice(-8).join("\n")}`,
      { cause },
    );
  }
  await rename(incomplete, data);
}

/** One statement for each line. The server runs them at every start, so each start has new random passwords. */
function userStatements(operatorPassword: string, nodePassword: string): string {
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

async function checkExternal(url: string): Promise<DatabaseAccess> {
  const address = parseDatabaseUrl(url);
  if ("problem" in address) throw new StartupError(`DATABASE_URL ${address.problem}`);
  const { host, port, user, password, database } = address;
  const endpoint = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  if ((await isMysqlServer(host, port)) === undefined)
    throw new StartupError(
      `No MySQL answers at ${endpoint} (from DATABASE_URL). Is it running, and is the address right?`,
    );
  await checkLogin(address);
  return {
    operatorUrl: url,
    node: { host: endpoint, user, password, database },
    isPrivate: false,
    description: `MySQL at ${endpoint}, database ${database} (DATABASE_URL)`,
  };
}

/** Reports a wrong password or a missing database at once. Otherwise the operator and the nodes would retry without end. */
async function checkLogin(address: DatabaseAddress): Promise<void> {
  await using connections = new Database(address);
  try {
    await connections.rows("SELECT 1");
  } catch (error) {
    const reason = failureOf(error)?.message ?? messageOf(error);
    throw new StartupError(`DATABASE_URL names a database that cannot be used. ${reason}`, { cause: error });
  }
}

/** True if a MySQL server sends its greeting (the first packet has sequence number 0); undefined otherwise. */
function isMysqlServer(host: string, port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 3000 });
    const end = (result: true | undefined) => {
      socket.destroy();
      resolve(result);
    };
    socket.once("data", (greeting) => end(greeting[3] === 0 ? true : undefined));
    socket.once("error", () => end(undefined));
    socket.once("timeout", () => end(undefined));
    socket.once("close", () => end(undefined));
  });
}

/** MariaDB refuses to run as root without it. */
function userOption(): string[] {
  return process.getuid?.() === 0 ? ["--user=root"] : [];
}

function newPassword(): string {
  return randomBytes(18).toString("base64url");
}
