/** The databases of all SipClusters of a Kubernetes cluster, one `ClusterDatabase` for each. */
import type { DatabaseAddress } from "../adapters/mysql/database-url.ts";
import type { Installation } from "../adapters/mysql/installation.ts";
import { tryLogin } from "../adapters/mysql/try-login.ts";
import type { Installations, LoginProblems } from "../installations.ts";
import { keyOfObject, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { Change, Source } from "../runtime/source.ts";
import { ClusterDatabase, type ClusterDatabaseDependencies } from "./cluster-database.ts";
import { connectToDatabase } from "./database-access.ts";
import { mysqlOf, secretsOf } from "./mysql-address.ts";

export type ClusterInstallationsDependencies = Omit<
  ClusterDatabaseDependencies,
  "source" | "connect" | "tryLogin"
>;

export class ClusterInstallations implements Installations {
  readonly #source: Source;
  readonly #deps: ClusterDatabaseDependencies;
  readonly #databases = new Map<ObjectKey, ClusterDatabase>();

  constructor(source: Source, deps: ClusterInstallationsDependencies) {
    this.#source = source;
    const connect = (address: DatabaseAddress) => connectToDatabase(address, deps.name, deps.clock);
    this.#deps = { ...deps, source, connect, tryLogin };
  }

  of(key: ObjectKey): Promise<Installation | undefined> {
    const database = this.#databases.get(key) ?? new ClusterDatabase(key, this.#deps);
    this.#databases.set(key, database);
    return database.installation();
  }

  /** Without those that belong to other SipClusters: their rows are not for this process to sweep. */
  open(): readonly Installation[] {
    return [...this.#databases.values()].flatMap(({ state, session }) =>
      state === "leading" && session !== undefined ? [session.installation] : [],
    );
  }

  loginProblems(key: ObjectKey): LoginProblems {
    return this.#databases.get(key)?.loginProblems ?? {};
  }

  unreachable(): readonly ObjectKey[] {
    return this.#source
      .list("SipCluster")
      .filter((cluster) => mysqlOf(cluster) !== undefined)
      .map(keyOfObject)
      .filter((key) => this.#databases.get(key)?.session?.access.isUnreachable() !== false);
  }

  /** A changed Secret is tried at once, where the database is in use. A changed SipCluster is tried when its database is next requested. */
  changed({ kind, key, what }: Change): void {
    if (kind === "SipCluster" && what === "object") {
      const cluster = this.#source.get(kind, key);
      if (cluster === undefined) this.#databases.get(key)?.release();
      else this.#databases.get(key)?.changed(cluster);
    }
    if (kind !== "Secret") return;
    for (const cluster of this.#source.list("SipCluster"))
      if (namesSecret(cluster, key)) this.#databases.get(keyOfObject(cluster))?.secretChanged();
  }

  /** One round; called every few seconds, also while the last one still waits for a database. Never throws. */
  async sendHeartbeats(): Promise<void> {
    await Promise.all([...this.#databases.values()].map((database) => database.sendHeartbeat()));
    for (const [key, database] of this.#databases)
      if (database.isIdle && this.#source.get("SipCluster", key) === undefined) this.#databases.delete(key);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#databases.values()].map((database) => database.close()));
    this.#databases.clear();
  }
}

function namesSecret(cluster: KubernetesObject, secret: ObjectKey): boolean {
  const mysql = mysqlOf(cluster);
  return mysql !== undefined && secretsOf(cluster.metadata.namespace, mysql).includes(secret);
}
