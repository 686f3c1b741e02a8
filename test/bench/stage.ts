/** The MariaDB, the Strowger node and the Kamailios of a run. A Kamailio starts when it is first measured. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestMariadb } from "../support/mariadb.ts";
import { TestCluster } from "../support/test-cluster.ts";
import type { Contestant } from "./contestants/contestant.ts";
import { readsDatabase, shipped, strowger, tuned } from "./contestants/names.ts";
import { createKamailioDatabase, type KamailioPlan, startKamailio } from "./contestants/kamailio.ts";
import type { BenchOptions } from "./options.ts";
import { calleePort, registerUsers, type Target } from "./load.ts";
import { domain, passwordOf, trustedAddress, userNames, writeInjectionFiles } from "./users.ts";

const kamailios = [
  { name: shipped, children: 8, databaseMode: 1 },
  { name: tuned, children: 2, memoryManager: "tlsf", databaseMode: 1 },
  { name: `${shipped}${readsDatabase}`, children: 8, databaseMode: 3 },
  { name: `${tuned}${readsDatabase}`, children: 2, memoryManager: "tlsf", databaseMode: 3 },
  { name: `${tuned}, 8 children`, children: 8, memoryManager: "tlsf", databaseMode: 1 },
] as const satisfies readonly Omit<KamailioPlan, "database">[];

/** Every commit is on disk before it is acknowledged, for all contestants. */
export const mariadbArguments = [
  "--innodb-flush-log-at-trx-commit=1",
  "--innodb-buffer-pool-size=512M",
  "--innodb-log-file-size=128M",
  "--max-connections=400",
];
const userCount = 1000;
export const profileFolder = ".strowger/profiles";

export class Stage implements AsyncDisposable {
  readonly cluster: TestCluster;
  readonly folder: string;
  readonly databasePid: number;
  readonly #kinds = new Set<string>();
  readonly #targets = new Map<string, Promise<Target>>();
  readonly #started: Contestant[] = [];

  private constructor(cluster: TestCluster, folder: string, databasePid: number) {
    this.cluster = cluster;
    this.folder = folder;
    this.databasePid = databasePid;
  }

  static async start({ profile, udp }: Pick<BenchOptions, "profile" | "udp">): Promise<Stage> {
    const nodeArguments = profile ? ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`] : [];
    const cluster = await TestCluster.start({
      front: "shared port",
      nodes: 1,
      peers: [trustedAddress],
      mariadb: { args: mariadbArguments },
      nodeArguments,
      udpEngine: udp,
    });
    const folder = await mkdtemp(join(tmpdir(), "strowger-bench-"));
    await writeInjectionFiles(folder, userCount);
    await insertStrowgerUsers(cluster.database, userCount);
    return new Stage(cluster, folder, await databasePid(cluster.database));
  }

  /** Whether this kind of load was not run before. */
  isFirstOf(kind: string): boolean {
    const isFirst = !this.#kinds.has(kind);
    this.#kinds.add(kind);
    return isFirst;
  }

  /** Starts the contestant if it does not run, and registers the users with it. */
  target(name: string): Promise<Target> {
    const known = this.#targets.get(name);
    if (known !== undefined) return known;
    const starting = this.#start(name);
    this.#targets.set(name, starting);
    return starting;
  }

  async startKamailio(plan: Omit<KamailioPlan, "database">, database: string): Promise<Contestant> {
    const started = await startKamailio({ ...plan, database }, this.cluster.database);
    this.#started.push(started);
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map((one) => one[Symbol.asyncDispose]()));
    await this.cluster[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #start(name: string): Promise<Target> {
    const { cluster, folder, databasePid: database } = this;
    const shared = { callees: await calleePort(), database, folder };
    const target =
      name === strowger
        ? { ...shared, callers: cluster.front, pids: cluster.nodes.map(({ child }) => child.pid) }
        : { ...shared, ...(await this.#startKamailioNamed(name)) };
    await registerUsers(target, userCount);
    return target;
  }

  async #startKamailioNamed(name: string): Promise<{ callers: Target["callers"]; pids: readonly number[] }> {
    const index = kamailios.findIndex((one) => one.name === name);
    const plan = kamailios[index];
    if (plan === undefined) throw new Error(`no contestant ${name}`);
    const database = `kamailio_${index}`;
    await createKamailioDatabase(this.cluster.database, database);
    await insertKamailioUsers(this.cluster.database, database, userCount);
    const { at, pids } = await this.startKamailio(plan, database);
    return { callers: at, pids };
  }
}

export async function databasePid(server: TestMariadb): Promise<number> {
  const [row] = await server.query<{ readonly file: string }>("SELECT @@pid_file AS file");
  return Number(await readFile(row?.file ?? "", "utf8"));
}

export async function insertStrowgerUsers(server: TestMariadb, count: number): Promise<void> {
  const names = userNames(count);
  await server.query("INSERT IGNORE INTO strowger.domain (domain) VALUES (?)", [domain]);
  await server.query("INSERT IGNORE INTO strowger.subscriber (username, domain, password) VALUES ?", [
    names.map((name) => [name, domain, passwordOf(name)]),
  ]);
  // The operator stores hashes only.
  await server.query(
    "UPDATE strowger.subscriber SET ha1 = MD5(CONCAT(username, ':', domain, ':', password)), password = ''",
  );
}

async function insertKamailioUsers(server: TestMariadb, database: string, count: number): Promise<void> {
  const names = userNames(count);
  await server.query(`INSERT INTO ${database}.subscriber (username, domain, password) VALUES ?`, [
    names.map((name) => [name, domain, passwordOf(name)]),
  ]);
}
