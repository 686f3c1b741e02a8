/**
 * The database of one SipCluster. It is opened when it is first requested, and opened again when its address or its Secrets change. While
 * this process leads it, each heartbeat writes a sign of life and finds whether the database was taken, replaced or emptied
 * (`database-states.ts`).
 */
import { isDeepStrictEqual } from "node:util";
import type { DatabaseAddress } from "../adapters/mysql/database-url.ts";
import { DatabaseUnavailable } from "../adapters/mysql/database-unavailable.ts";
import { LeadershipLost, setClusterOfDatabase, type Installation } from "../adapters/mysql/installation.ts";
import type { MigrationReport } from "../adapters/mysql/migrate.ts";
import type { LoginProblems } from "../installations.ts";
import type { Clock, Ms } from "../runtime/clock.ts";
import type { KubernetesObject, ObjectKey } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import type { DatabaseAccess } from "./database-access.ts";
import { DatabaseRecord } from "./database-record.ts";
import {
  closeSession,
  openSession,
  releaseSession,
  type DatabaseSession,
  type OpenedSession,
} from "./database-session.ts";
import type { DatabaseState } from "./database-states.ts";
import { LoginChecks } from "./login-checks.ts";
import { loginTries } from "./login-tries.ts";
import { mysqlOf, readAddress } from "./mysql-address.ts";
import { writeSessionHeartbeat, type LossEvent } from "./session-heartbeat.ts";

export interface ClusterDatabaseDependencies {
  readonly source: Pick<Source, "get" | "existence" | "secret">;
  /** This process, for people who look into `strowger_meta`. */
  readonly name: string;
  readonly clock: Clock;
  readonly connect: (address: DatabaseAddress) => DatabaseAccess;
  /** Connects with this address once, and throws what fails. */
  readonly tryLogin: (address: DatabaseAddress) => Promise<void>;
  /** This process has become the operator of a database. */
  readonly onOpen: (cluster: ObjectKey, report: MigrationReport) => void;
  /** Whether this process holds the Lease. If so, another operator that writes to a database contests only that database. */
  readonly isLeader: () => boolean;
  /** The database can be reached again, or is another one now: reconciles that wait for it may continue. */
  readonly onBack: (cluster: ObjectKey) => void;
  /** Another operator has taken over a database of this SipCluster, and this process does not hold the Lease. */
  readonly onLost: (lost: LeadershipLost) => void;
}

/** A request waits so long for an opening under way: workers are few, and other databases can be served meanwhile. */
const openTimeout: Ms = 5_000;

export class ClusterDatabase {
  readonly #key: ObjectKey;
  readonly #deps: ClusterDatabaseDependencies;
  readonly #logins: LoginChecks;
  readonly #record = new DatabaseRecord();
  #opening: Promise<Installation | undefined> | undefined;
  #sending: Promise<void> | undefined;

  constructor(key: ObjectKey, deps: ClusterDatabaseDependencies) {
    this.#key = key;
    this.#deps = deps;
    this.#logins = new LoginChecks(deps.tryLogin, () => deps.clock.now());
  }

  get state(): DatabaseState {
    return this.#record.state;
  }

  get session(): DatabaseSession | undefined {
    return this.#record.session;
  }

  /** Closed, with no work under way. */
  get isIdle(): boolean {
    return this.state === "closed" && this.#opening === undefined && this.#sending === undefined;
  }

  get loginProblems(): LoginProblems {
    return this.#logins.problems;
  }

  /** Opens the database where it is not open. Undefined: the SipCluster is gone, or names no database. */
  async installation(): Promise<Installation | undefined> {
    const cluster = this.#cluster();
    const answer = cluster && this.#record.requested(cluster, this.#deps.clock.now());
    if (answer instanceof Error) throw answer;
    return answer ?? this.#openInTime();
  }

  changed(cluster: KubernetesObject): void {
    this.#record.changed(cluster);
  }

  secretChanged(): void {
    const action = this.#record.secretChanged();
    if (action === "check logins") this.#checkLogins();
    if (action === "open") this.#open().catch(() => undefined);
  }

  /** The SipCluster is gone, or names no database. */
  release(): void {
    const { session } = this;
    const action = this.#record.notNeeded();
    this.#logins.forget();
    if (action === "release" && session !== undefined) releaseSession(session, this.#deps.source);
  }

  /** Never throws. One that is called while the last one still waits for the database joins it. */
  sendHeartbeat(): Promise<void> {
    this.#sending ??= this.#sendOnce().finally(() => (this.#sending = undefined));
    return this.#sending;
  }

  async close(): Promise<void> {
    await this.session?.access.close();
  }

  #cluster(): KubernetesObject | undefined {
    return this.#deps.source.get("SipCluster", this.#key);
  }

  async #openInTime(): Promise<Installation | undefined> {
    const opening = this.#open();
    const late = Promise.withResolvers<never>();
    const cancel = this.#deps.clock.after(openTimeout, () => late.reject(this.#failLate()));
    return Promise.race([opening, late.promise]).finally(cancel);
  }

  /** The opening goes on. The next heartbeat waits for it, and calls `onBack`. */
  #failLate(): Error {
    const why = `not open within ${openTimeout / 1000} s, perhaps while another operator migrates it`;
    const error = new DatabaseUnavailable(new Error(why));
    const tried = this.#cluster()?.metadata ?? { uid: "", generation: 0 };
    this.#record.openingFailed(error, tried, this.#deps.clock.now());
    this.sendHeartbeat().catch(() => undefined);
    return error;
  }

  #open(): Promise<Installation | undefined> {
    this.#opening ??= this.#tryToOpen().finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #tryToOpen(): Promise<Installation | undefined> {
    const cluster = this.#cluster();
    const mysql = cluster && mysqlOf(cluster);
    if (cluster === undefined || mysql === undefined) {
      this.release();
      return undefined;
    }
    try {
      const address = await readAddress(this.#deps.source, cluster.metadata.namespace, mysql);
      const { session: before, contest } = this.#record;
      const opened = await openSession(cluster, address, { ...this.#deps, before, contest });
      this.#opened(opened, before);
      return await this.#keepIfNeeded(cluster, opened);
    } catch (cause) {
      throw this.#record.openingFailed(cause, cluster.metadata, this.#deps.clock.now());
    }
  }

  #opened({ session, report, isReused }: OpenedSession, before: DatabaseSession | undefined): void {
    this.#record.opened(session);
    if (report !== undefined) this.#deps.onOpen(this.#key, report);
    if (before === undefined || isReused) return;
    closeSession(before, before.cluster.uid !== session.cluster.uid);
    this.#deps.onBack(this.#key);
  }

  /**
   * The SipCluster may have been deleted meanwhile. If its database was freed before this opening took it, nothing else would free it
   * again.
   */
  async #keepIfNeeded(
    { metadata: { uid } }: KubernetesObject,
    { session: { installation }, report }: OpenedSession,
  ): Promise<Installation | undefined> {
    const now = this.#cluster();
    const isDeleted = now?.metadata.uid !== uid || now.metadata.deletionTimestamp !== undefined;
    if (isDeleted && report !== undefined)
      await installation.write((change) => setClusterOfDatabase(change, undefined));
    if (now !== undefined) return installation;
    this.release();
    return undefined;
  }

  async #sendOnce(): Promise<void> {
    const { session } = this;
    const action = this.#record.heartbeatIsDue();
    if (action === "retry") await this.#retry();
    if (action === "send heartbeat" && session !== undefined) await this.#sendHeartbeatAsLeader(session);
  }

  async #retry(): Promise<void> {
    const opened = await this.#open().catch(() => undefined);
    if (opened !== undefined) this.#deps.onBack(this.#key);
  }

  async #sendHeartbeatAsLeader(session: DatabaseSession): Promise<void> {
    const wasUnreachable = session.access.isUnreachable();
    const isOpen = (asked: DatabaseSession): boolean => asked === this.session;
    const result = await writeSessionHeartbeat(session, { isOpen, isLeader: this.#deps.isLeader }).catch(
      () => undefined,
    );
    if (result === undefined)
      await this.#open().catch(() => undefined); // the password may be another one now
    else if (result.is === "lost" && isOpen(session)) await this.#lost(session, result.event, result.leader);
    else if (result.is === "led") {
      if (wasUnreachable) this.#deps.onBack(this.#key);
      if (this.#logins.isDue()) this.#checkLogins();
    }
  }

  async #lost(session: DatabaseSession, event: LossEvent, leader: string): Promise<void> {
    const { name, clock, onBack, onLost } = this.#deps;
    const action =
      event === "contested"
        ? this.#record.contested({ name, leader, lostAt: clock.now() }, this.#cluster())
        : this.#record.lost(event);
    if (action === "report") return onLost(new LeadershipLost());
    closeSession(session, false);
    if (action === "reopen") await this.#retry();
    if (action === "close") onBack(this.#key);
  }

  /** In the background. A login that differs from the one in use is tried by opening the database with it. */
  #checkLogins(): void {
    const cluster = this.#cluster();
    const mysql = cluster && mysqlOf(cluster);
    if (cluster === undefined || mysql === undefined) return;
    const tries = loginTries(cluster.metadata.namespace, mysql, this.#deps.source, async (address) => {
      if (isDeepStrictEqual(this.session?.address, address)) await this.#deps.tryLogin(address);
      else await this.#open();
    });
    this.#logins.check(tries).catch(() => undefined);
  }
}
