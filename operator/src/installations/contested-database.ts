/**
 * A database of ours into whose `strowger_meta` somebody else wrote an epoch while this process led: another operator of the same SipCluster
 * (a restored Kubernetes cluster), or whoever has a login to it. That one SipCluster stands aside, or two would raise the epoch in turns for
 * ever:
 *
 *   contested ── a minute here, and a minute without a beat there ──► taken again
 *             └─ the annotation take-over, set since it was lost  ──► taken again, once
 */
import { UnusableAddress } from "../adapters/mysql/failure.ts";
import type { DatabaseAddress } from "../adapters/mysql/database-url.ts";
import type { Statements } from "../adapters/mysql/database.ts";
import { leaderBeat } from "../adapters/mysql/leader-beat.ts";
import type { Ms } from "../runtime/clock.ts";
import type { KubernetesObject } from "../runtime/object.ts";

/** So long it is left alone, and so long must the other one be silent. */
export const standsAside: Ms = 60_000;

export interface LostDatabase {
  readonly uid: string;
  readonly address: DatabaseAddress;
  readonly installationId: string;
  /** This process, as it named itself to the database. */
  readonly name: string;
  /** In milliseconds, by the clock that is handed to `mayBeTaken`. */
  readonly lostAt: number;
}

export class ContestedDatabase {
  readonly #lost: LostDatabase;
  /** An annotation that was there before says nothing about this loss. */
  #isAnnotationNew: boolean;
  #isAskedFor = false;
  #leader: string;

  constructor(lost: LostDatabase, leader: string, object: KubernetesObject | undefined) {
    this.#lost = lost;
    this.#leader = leader;
    this.#isAnnotationNew = takeOverOf(object) !== lost.installationId;
  }

  /** Told whenever the SipCluster changed. */
  changed(object: KubernetesObject): void {
    if (takeOverOf(object) !== this.#lost.installationId) this.#isAnnotationNew = true;
    this.#isAskedFor = this.#isAnnotationNew && takeOverOf(object) === this.#lost.installationId;
  }

  /** Whether it is this SipCluster's database, at this place; whatever the password is now. */
  isOf(uid: string, { host, otherHosts, port, database }: DatabaseAddress): boolean {
    const { uid: ours, address } = this.#lost;
    const hosts = [address.host, ...(address.otherHosts ?? [])].join();
    const isThere = hosts === [host, ...(otherHosts ?? [])].join();
    return uid === ours && isThere && port === address.port && database === address.database;
  }

  /** Asks the database only after a minute. Throws what asking throws. */
  async mayBeTaken(database: Statements, now: number): Promise<boolean> {
    if (this.#isAskedFor) return true;
    if (now - this.#lost.lostAt < standsAside) return false;
    const { leader, age } = await leaderBeat(database);
    this.#leader = leader;
    return age >= standsAside;
  }

  /** For the SipCluster's conditions. */
  get failure(): UnusableAddress {
    const { installationId, name } = this.#lost;
    const who =
      this.#leader === name || this.#leader === ""
        ? "somebody else raised the epoch of this database, as another operator would"
        : `another operator (${JSON.stringify(this.#leader.slice(0, 100))}) writes to this database`;
    return new UnusableAddress(
      "DatabaseTaken",
      `${who}; end it, or give each SipCluster a database and a login of its own. Taken again when no leader has beaten for ${standsAside / 1000} s, or at once with the annotation sip.strowger.dev/take-over: ${installationId}, set anew`,
    );
  }
}

const takeOverOf = (object: KubernetesObject | undefined): string | undefined =>
  object?.metadata.annotations?.["sip.strowger.dev/take-over"];
