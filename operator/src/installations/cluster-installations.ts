/**
 * The databases of all SipClusters of a Kubernetes cluster: each opened when it is first asked for, again when its address or its Secrets
 * change, and closed when its SipCluster goes.
 *
 *   of(cluster)  open ── its answer, at once
 *                failed just now ── the same failure, without another try
 *                else ── Secrets by GET, connect, migrate under a lease, take or (another SipCluster's) look only
 *   beat()       open and ours ── "the leader lives"; epoch raised by somebody else: theirs now; contested, while we hold the Lease; or we
 *                are the leader no more. Each database by itself: one that hangs misses its own beats only
 *                failed ── Secrets again, try again; back: told
 *                its tables are gone, or it is another database than the one that was taken ── opened as if for the first time
 *                well ── once a minute the logins in the Secrets are tried on connections of their own
 */
import { isDeepStrictEqual } from "node:util";
import { Database } from "../adapters/mysql/database.ts";
import type { DatabaseAddress } from "../adapters/mysql/database-url.ts";
import { DatabaseUnavailable } from "../adapters/mysql/database-unavailable.ts";
import { isTableMissing } from "../adapters/mysql/failure.ts";
import {
  clusterOfDatabase,
  isAnotherDatabase,
  LeadershipLost,
  setClusterOfDatabase,
  type ClusterIdentity,
  type Installation,
} from "../adapters/mysql/installation.ts";
import { beat, leaderBeat, sayGoodbye } from "../adapters/mysql/leader-beat.ts";
import type { MigrationReport } from "../adapters/mysql/migrate.ts";
import { areTablesLost } from "../adapters/mysql/lost-tables.ts";
import { tryLogin } from "../adapters/mysql/try-login.ts";
import type { Installations, LoginProblems } from "../installations.ts";
import type { Clock } from "../runtime/clock.ts";
import { keyOf, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { Change, Source } from "../runtime/source.ts";
import { ContestedDatabase } from "./contested-database.ts";
import { LoginChecks } from "./login-checks.ts";
import {
  asNodes,
  caOf,
  credentialsOf,
  mysqlAddress,
  mysqlOf,
  nodesCredentialsOf,
  type MysqlSpec,
} from "./mysql-address.ts";
import { isAnothers, openClusterDatabase } from "./open-cluster-database.ts";

export interface ClusterInstallationsOptions {
  /** This process, for people who look into `strowger_meta`. */
  readonly name: string;
  readonly clock: Clock;
  /** A database was opened and is ours. */
  onOpen(cluster: ObjectKey, report: MigrationReport): void;
  /** Whether the Lease is still this process's. Then whoever writes into one database takes that one from it, and no other. */
  isLeader(): boolean;
  /** A database that could not be reached can be again, or is another one now: what waits for it may go on. */
  onBack(cluster: ObjectKey): void;
  /** Another operator has taken over a database that is still this SipCluster's, and the Lease is not ours: the leader is another one. */
  onLost(lost: LeadershipLost): void;
}

interface Entry {
  readonly cluster: ClusterIdentity;
  readonly generation: number;
  readonly address: DatabaseAddress;
  readonly database: Database;
  readonly installation: Installation;
}

interface Failure {
  readonly error: Error;
  readonly uid: string;
  readonly generation: number;
  readonly until: number;
}

/** Who asks for a database waits so long while it is opened. */
const patienceMs = 5_000;
/** A failure is repeated without another try for so long; the beat tries sooner. */
const repeatMs = 15_000;

export class ClusterInstallations implements Installations {
  readonly #source: Source;
  readonly #options: ClusterInstallationsOptions;
  readonly #entries = new Map<ObjectKey, Entry>();
  readonly #failures = new Map<ObjectKey, Failure>();
  readonly #opening = new Map<ObjectKey, Promise<Installation | undefined>>();
  readonly #beating = new Map<ObjectKey, Promise<void>>();
  readonly #contested = new Map<ObjectKey, ContestedDatabase>();
  readonly #logins: LoginChecks;

  constructor(source: Source, options: ClusterInstallationsOptions) {
    this.#source = source;
    this.#options = options;
    this.#logins = new LoginChecks(tryLogin, () => options.clock.now());
  }

  of(key: ObjectKey): Promise<Installation | undefined> {
    const cluster = this.#source.get("SipCluster", key);
    const entry = this.#entries.get(key);
    if (entry !== undefined && cluster !== undefined && isCurrent(entry, cluster) && isOurs(entry))
      return Promise.resolve(entry.installation);
    const failure = this.#failures.get(key);
    if (failure !== undefined && cluster !== undefined && isFresh(failure, cluster, this.#options.clock))
      return Promise.reject(failure.error);
    return this.#openSoon(key);
  }

  /** Ours only: what belongs to another SipCluster is not ours to sweep. */
  open(): readonly Installation[] {
    return [...this.#entries.values()].filter(isOurs).map(({ installation }) => installation);
  }

  loginProblems(key: ObjectKey): LoginProblems {
    return this.#logins.of(key);
  }

  unreachable(): readonly ObjectKey[] {
    return this.#source
      .list("SipCluster")
      .filter((cluster) => mysqlOf(cluster) !== undefined)
      .map(({ metadata }) => keyOf(metadata.namespace, metadata.name))
      .filter((key) => this.#entries.get(key)?.database.outage !== undefined || !this.#entries.has(key));
  }

  /**
   * A Secret that is in use changed: looked at again at once. A SipCluster did: when it is next asked for. What nobody has asked for yet
   * stays closed, for to open it is to lead it.
   */
  changed({ kind, key, what }: Change): void {
    if (kind === "SipCluster" && what === "object") {
      const object = this.#source.get(kind, key);
      this.#failures.delete(key);
      if (object === undefined) this.#close(key);
      else this.#contested.get(key)?.changed(object);
    }
    if (kind !== "Secret") return;
    for (const cluster of this.#source.list("SipCluster")) {
      const mysql = mysqlOf(cluster);
      const { namespace, name } = cluster.metadata;
      if (mysql === undefined || !secretsOf(namespace, mysql).includes(key)) continue;
      const id = keyOf(namespace, name);
      const entry = this.#entries.get(id);
      const hasFailed = this.#failures.delete(id);
      if (entry !== undefined && isOurs(entry)) this.#checkLogins(id);
      else if (hasFailed || entry !== undefined) this.#openOnce(id).catch(() => undefined);
    }
  }

  /** One round; called every few seconds, also while the last one still waits for a database. Never throws. */
  async beat(): Promise<void> {
    const keys = new Set([...this.#entries.keys(), ...this.#failures.keys()]);
    await Promise.all([...keys].map((key) => this.#beatOnce(key)));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ database }) => database.close()));
    this.#entries.clear();
  }

  /** Workers are few: nobody waits for one database while others could be served. */
  async #openSoon(key: ObjectKey): Promise<Installation | undefined> {
    const opening = this.#openOnce(key);
    const late = Promise.withResolvers<never>();
    const callOff = this.#options.clock.after(patienceMs, () => late.reject(this.#isLate(key)));
    return Promise.race([opening, late.promise]).finally(callOff);
  }

  /** Told when it is open all the same. */
  #isLate(key: ObjectKey): Error {
    const error = new DatabaseUnavailable(
      new Error(`not open within ${patienceMs / 1000} s, perhaps while another operator migrates it`),
    );
    const { uid = "", generation = 0 } = this.#source.get("SipCluster", key)?.metadata ?? {};
    this.#failures.set(key, { error, uid, generation, until: this.#options.clock.now() + repeatMs });
    this.#beatOnce(key).catch(() => undefined);
    return error;
  }

  #beatOnce(key: ObjectKey): Promise<void> {
    const under = this.#beating.get(key);
    if (under !== undefined) return under;
    const beating = (this.#entries.has(key) ? this.#beatOne(key) : this.#tryAgain(key)).finally(() =>
      this.#beating.delete(key),
    );
    this.#beating.set(key, beating);
    return beating;
  }

  #openOnce(key: ObjectKey): Promise<Installation | undefined> {
    const under = this.#opening.get(key);
    if (under !== undefined) return under;
    const opening = this.#open(key).finally(() => this.#opening.delete(key));
    this.#opening.set(key, opening);
    return opening;
  }

  async #open(key: ObjectKey): Promise<Installation | undefined> {
    const cluster = this.#source.get("SipCluster", key);
    const mysql = cluster && mysqlOf(cluster);
    if (cluster === undefined || mysql === undefined) {
      this.#failures.delete(key);
      this.#close(key);
      return undefined;
    }
    try {
      const address = await this.#addressOf(cluster.metadata.namespace, mysql);
      const { installation, isTaken } = await this.#openAt(key, cluster, address);
      const now = this.#source.get("SipCluster", key);
      const isLeaving =
        now?.metadata.uid !== cluster.metadata.uid || now.metadata.deletionTimestamp !== undefined;
      // It may have let its database go before this took it: nobody would do so again.
      if (isLeaving && isTaken) await installation.write((change) => setClusterOfDatabase(change, undefined));
      if (now !== undefined) return installation;
      this.#close(key);
      return undefined;
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      const { uid, generation } = cluster.metadata;
      this.#failures.set(key, { error, uid, generation, until: this.#options.clock.now() + repeatMs });
      throw error;
    }
  }

  /** In the background. A login that differs from the one in use is tried by opening the database with it. */
  #checkLogins(key: ObjectKey): void {
    const cluster = this.#source.get("SipCluster", key);
    const mysql = cluster && mysqlOf(cluster);
    if (cluster === undefined || mysql === undefined) return;
    const { namespace } = cluster.metadata;
    const isShared = nodesCredentialsOf(namespace, mysql) === credentialsOf(namespace, mysql);
    const tries = {
      operator: async () => {
        const address = await this.#addressOf(namespace, mysql);
        const isInUse = isDeepStrictEqual(this.#entries.get(key)?.address, address);
        await (isInUse ? tryLogin(address) : this.#openOnce(key));
      },
      nodes: () => (isShared ? Promise.resolve(undefined) : this.#addressOf(namespace, asNodes(mysql))),
    };
    this.#logins.check(key, tries).catch(() => undefined);
  }

  async #addressOf(namespace: string, mysql: MysqlSpec): Promise<DatabaseAddress> {
    const ca = caOf(namespace, mysql);
    return mysqlAddress(
      namespace,
      mysql,
      await this.#source.secret(credentialsOf(namespace, mysql)),
      ca === undefined ? undefined : await this.#source.secret(ca),
    );
  }

  /** `isTaken`: the database was not this process's for that SipCluster before. */
  async #openAt(
    key: ObjectKey,
    object: KubernetesObject,
    address: DatabaseAddress,
  ): Promise<{ readonly installation: Installation; readonly isTaken: boolean }> {
    const { namespace, name, uid, generation } = object.metadata;
    const before = this.#entries.get(key);
    const isSame = before?.cluster.uid === uid && isDeepStrictEqual(before.address, address);
    const database = isSame
      ? before.database
      : new Database(address, { now: () => this.#options.clock.now() });
    const cluster = { namespace, name, uid };
    try {
      await this.#standAside(key, uid, address, database);
      const had = before?.installation;
      const epoch = had?.epoch;
      const known = had === undefined || epoch === undefined ? undefined : { id: had.id, epoch };
      const { installation, report } =
        isSame && isOurs(before)
          ? { installation: before.installation }
          : await openClusterDatabase(database, cluster, this.#options.name, known);
      this.#entries.set(key, { cluster, generation, address, database, installation });
      this.#failures.delete(key);
      this.#contested.delete(key);
      if (report !== undefined) this.#options.onOpen(key, report);
      if (before !== undefined && !isSame) {
        leave(before, before.cluster.uid !== uid).catch(() => undefined);
        this.#options.onBack(key);
      }
      return { installation, isTaken: report !== undefined };
    } catch (error) {
      if (!isSame) void database.close().catch(() => undefined);
      throw error;
    }
  }

  /** Throws while the database is somebody else's to write. */
  async #standAside(
    key: ObjectKey,
    uid: string,
    address: DatabaseAddress,
    database: Database,
  ): Promise<void> {
    const contested = this.#contested.get(key);
    if (contested === undefined || !contested.isOf(uid, address)) return;
    if (!(await contested.mayBeTaken(database, this.#options.clock.now()))) throw contested.failure;
  }

  #close(key: ObjectKey): void {
    const entry = this.#entries.get(key);
    this.#contested.delete(key);
    this.#entries.delete(key);
    this.#logins.forget(key);
    if (entry !== undefined)
      this.#letGo(key, entry)
        .catch(() => undefined)
        .then(() => leave(entry, true))
        .catch(() => undefined);
  }

  /** One that was deleted before a finalizer held it back has let nothing go; a database that is away stays its own. */
  async #letGo(key: ObjectKey, { cluster, database, installation }: Entry): Promise<void> {
    if (installation.epoch === undefined) return;
    const presence = await this.#source.presence("SipCluster", key);
    if (presence.is !== "absent") return;
    const holder = await clusterOfDatabase(database).catch(() => undefined);
    if (holder?.uid === cluster.uid)
      await installation.write((change) => setClusterOfDatabase(change, undefined)).catch(() => undefined);
  }

  async #beatOne(key: ObjectKey): Promise<void> {
    const entry = this.#entries.get(key);
    const epoch = entry?.installation.epoch;
    if (entry === undefined || epoch === undefined) return;
    const { database, installation } = entry;
    const wasAway = database.outage !== undefined;
    try {
      if (await beat(database, { id: installation.id, epoch })) {
        if (await areTablesLost(database)) return await this.#openAnew(key, entry);
        if (wasAway) this.#options.onBack(key);
        if (this.#logins.isDue(key)) this.#checkLogins(key);
      } else if (this.#entries.get(key) === entry) await this.#replaced(key, entry);
    } catch (error) {
      // Perhaps the password is another one now.
      if (isTableMissing(error)) await this.#openAnew(key, entry);
      else await this.#openOnce(key).catch(() => undefined);
    }
  }

  /** Whoever emptied it, or put another database in its place, gets our tables anew. */
  async #openAnew(key: ObjectKey, entry: Entry): Promise<void> {
    if (this.#entries.get(key) !== entry) return;
    this.#entries.delete(key);
    entry.database.close().catch(() => undefined);
    await this.#tryAgain(key);
  }

  /** Theirs now, by an annotation on another SipCluster; or ours still, and somebody else writes to it. */
  async #replaced(key: ObjectKey, entry: Entry): Promise<void> {
    const { database, cluster, installation } = entry;
    const { id, epoch = 0 } = installation;
    const isTheirs = await isAnothers(database, cluster);
    const isAnother = await isAnotherDatabase(database, { id, epoch });
    const { leader } = await leaderBeat(database);
    if (this.#entries.get(key) !== entry) return;
    if (!isTheirs && !this.#options.isLeader()) return this.#options.onLost(new LeadershipLost());
    if (!isTheirs && isAnother) return this.#openAnew(key, entry);
    this.#entries.delete(key);
    void database.close().catch(() => undefined);
    if (isTheirs) this.#options.onBack(key);
    else this.#contest(key, entry, leader);
  }

  #contest(key: ObjectKey, { cluster, generation, address, installation }: Entry, leader: string): void {
    const { name, clock } = this.#options;
    const { uid } = cluster;
    const lostAt = clock.now();
    const lost = { uid, address, installationId: installation.id, name, lostAt };
    const contested = new ContestedDatabase(lost, leader, this.#source.get("SipCluster", key));
    this.#contested.set(key, contested);
    this.#failures.set(key, { error: contested.failure, uid, generation, until: lostAt + repeatMs });
  }

  async #tryAgain(key: ObjectKey): Promise<void> {
    const opened = await this.#openOnce(key).catch(() => undefined);
    if (opened !== undefined) this.#options.onBack(key);
  }
}

/** Nobody waits for it: a host that is gone may take minutes to say so. */
async function leave({ database, installation: { id, epoch } }: Entry, isForGood: boolean): Promise<void> {
  if (isForGood && epoch !== undefined) await sayGoodbye(database, { id, epoch }).catch(() => undefined);
  await database.close().catch(() => undefined);
}

const isOurs = ({ installation }: Entry): boolean => installation.epoch !== undefined;

const isCurrent = ({ cluster, generation }: Entry, { metadata }: KubernetesObject): boolean =>
  cluster.uid === metadata.uid && generation === metadata.generation;

const isFresh = (failure: Failure, { metadata }: KubernetesObject, clock: Clock): boolean =>
  failure.uid === metadata.uid && failure.generation === metadata.generation && clock.now() < failure.until;

const secretsOf = (namespace: string, mysql: MysqlSpec): readonly (ObjectKey | undefined)[] => [
  credentialsOf(namespace, mysql),
  caOf(namespace, mysql),
  nodesCredentialsOf(namespace, mysql),
];
