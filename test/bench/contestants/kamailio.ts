/** Debian's Kamailio with a database of its own in the MariaDB of the benchmark. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeUdpPort } from "../../../cli/src/up/free-port.ts";
import { startChild } from "../../support/child.ts";
import type { TestMariadb } from "../../support/mariadb.ts";
import { trustedAddress } from "../users.ts";
import type { Contestant } from "./contestant.ts";
import { kamailioConfiguration } from "./kamailio-configuration.ts";
import { untilAnswers } from "./until-answers.ts";

export interface KamailioPlan {
  readonly name: string;
  readonly children: number;
  /** Undefined: the memory manager that Kamailio uses without an option. */
  readonly memoryManager?: "tlsf";
  readonly databaseMode: 1 | 3;
  /** Its database, which `createKamailioDatabase` made. */
  readonly database: string;
  /** It is ready when it finds the binding of the user `probe` at this port. Undefined: when it answers. */
  readonly probePort?: number;
}

export interface Kamailio extends Contestant {
  /** Milliseconds until it was ready. */
  readonly startTime: number;
}

const tables = "/usr/share/kamailio/mysql";

/** Creates a database with Debian's tables. The password of a user is `NAME-secret`. */
export async function createKamailioDatabase(server: TestMariadb, name: string): Promise<void> {
  await server.query(`CREATE DATABASE ${name} CHARACTER SET latin1`);
  await server.query(
    `CREATE TABLE ${name}.version (table_name VARCHAR(32) PRIMARY KEY, table_version INT UNSIGNED NOT NULL)`,
  );
  await server.query(`USE ${name}`);
  for (const file of ["auth_db", "usrloc", "permissions"]) {
    const text = await readFile(join(tables, `${file}-create.sql`), "utf8");
    for (const statement of text.split(/;\s*\n/)) if (statement.trim() !== "") await server.query(statement);
  }
  await server.query("INSERT INTO address (grp, ip_addr, mask) VALUES (1, ?, 32)", [trustedAddress]);
  await server.query("USE strowger");
}

export async function startKamailio(plan: KamailioPlan, server: TestMariadb): Promise<Kamailio> {
  const at = { address: "127.0.0.1", port: await freeUdpPort("127.0.0.1") };
  const folder = await mkdtemp(join(tmpdir(), "strowger-kamailio-"));
  const file = join(folder, "kamailio.cfg");
  // Kamailio's own default user of a URL without a password is not accepted: it needs "user:password@".
  const databaseUrl = `mysql://bench:bench@127.0.0.1:${server.port}/${plan.database}`;
  await server.query("CREATE USER IF NOT EXISTS bench@'127.0.0.1' IDENTIFIED BY 'bench'");
  await server.query(`GRANT ALL ON ${plan.database}.* TO bench@'127.0.0.1'`);
  await writeFile(file, kamailioConfiguration({ ...plan, at, databaseUrl }));
  const { memoryManager } = plan;
  const memory = memoryManager === undefined ? [] : ["-x", memoryManager, "-X", memoryManager];
  const started = performance.now();
  const child = startChild(
    "kamailio",
    ["-DD", "-E", "-f", file, "-Y", folder, "-m", "512", "-M", "32", ...memory],
    {},
  );
  const hasEnded = (): string | undefined =>
    child.process.exitCode === null ? undefined : `kamailio ended:\n${child.output().slice(-2000)}`;
  const dispose = async (): Promise<void> => {
    await child.end();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const startTime = await untilAnswers({ server: at, probePort: plan.probePort, since: started, hasEnded });
    return { name: plan.name, at, pids: [child.pid], startTime, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
