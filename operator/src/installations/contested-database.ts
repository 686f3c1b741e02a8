/**
 * A database of this SipCluster into whose `strowger_meta` another program wrote an epoch while this process led it: another operator of the
 * same SipCluster (a restored Kubernetes cluster), or anything else with a login. This process stops writing to that database, because
 * otherwise two operators would raise the epoch in turns without end:
 *
 *   contested ── a minute has passed, and the other leader wrote no heartbeat for a minute ──► taken again
 *             └─ the annotation take-over was set after the loss                      ──► taken again, once
 */
import { UnusableAddress } from "../adapters/mysql/failure.ts";
import type { DatabaseAddress } from "../adapters/mysql/database-url.ts";
import type { LeaderHeartbeat } from "../adapters/mysql/leader-heartbeat.ts";
import type { Ms } from "../runtime/clock.ts";
import type { KubernetesObject } from "../runtime/object.ts";

/** This process leaves the database alone for so long, and the other leader must be silent for so long. */
export const standAsideFor: Ms = 60_000;

export interface LostDatabase {
  readonly uid: string;
  readonly address: DatabaseAddress;
  readonly installationId: string;
  /** The name of this process in `strowger_meta`. */
  readonly name: string;
  /** In milliseconds, by the clock of `mayBeTaken`'s `now`. */
  readonly lostAt: number;
}

export class ContestedDatabase {
  readonly #lost: LostDatabase;
  /** False: the annotation was there before the loss, so it does not refer to it. */
  #isAnnotationNew: boolean;
  #isTakeOverRequested = false;
  #leader: string;

  constructor(lost: LostDatabase, leader: string, object: KubernetesObject | undefined) {
    this.#lost = lost;
    this.#leader = leader;
    this.#isAnnotationNew = takeOverOf(object) !== lost.installationId;
  }

  /** The SipCluster changed. */
  changed(object: KubernetesObject): void {
    if (takeOverOf(object) !== this.#lost.installationId) this.#isAnnotationNew = true;
    this.#isTakeOverRequested = this.#isAnnotationNew && takeOverOf(object) === this.#lost.installationId;
  }

  /** Whether the SipCluster of that uid lost the database at that address. Users and passwords are not compared. */
  isOf(uid: string, { host, otherHosts, port, database }: DatabaseAddress): boolean {
    const { uid: ours, address } = this.#lost;
    const hosts = [address.host, ...(address.otherHosts ?? [])].join();
    const isThere = hosts === [host, ...(otherHosts ?? [])].join();
    return uid === ours && isThere && port === address.port && database === address.database;
  }

  /** Asks the database only after a minute. Throws what the request throws. `now` in milliseconds. */
  async mayBeTaken(database: { readHeartbeat(): Promise<LeaderHeartbeat> }, now: number): Promise<boolean> {
    if (this.#isTakeOverRequested) return true;
    if (now - this.#lost.lostAt < standAsideFor) return false;
    const { leader, age } = await database.readHeartbeat();
    this.#leader = leader;
    return age >= standAsideFor;
  }

  /** For the SipCluster's conditions. */
  get failure(): UnusableAddress {
    const { installationId, name } = this.#lost;
    const writer =
      this.#leader === name || this.#leader === ""
        ? "another program raised the epoch of this database, as another operator does"
        : `another operator (${JSON.stringify(this.#leader.slice(0, 100))}) writes to this database`;
    return new UnusableAddress(
      "DatabaseTaken",
      `${writer}; stop it, or give each SipCluster a database and a login of its own. The operator takes it again when no leader has written a heartbeat for ${standAsideFor / 1000} s, or at once if the annotation sip.strowger.dev/take-over: ${installationId} is set again`,
    );
  }
}

const takeOverOf = (object: KubernetesObject | undefined): string | undefined =>
  object?.metadata.annotations?.["sip.strowger.dev/take-over"];
