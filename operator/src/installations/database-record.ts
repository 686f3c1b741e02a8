/** What is known of a SipCluster's database: its state, and the session, failure and contest that belong to the state. Pure. */
import type { Installation } from "../adapters/mysql/installation.ts";
import type { KubernetesObject } from "../runtime/object.ts";
import { ContestedDatabase } from "./contested-database.ts";
import { isCurrent, leadershipOf, type DatabaseSession } from "./database-session.ts";
import {
  databaseTable,
  type DatabaseAction,
  type DatabaseEvent,
  type DatabaseState,
} from "./database-states.ts";
import { isRecent, openingFailure, type OpeningFailure } from "./opening-failure.ts";
import type { LossEvent } from "./session-heartbeat.ts";

export class DatabaseRecord {
  #state: DatabaseState = "closed";
  #session: DatabaseSession | undefined;
  #failure: OpeningFailure | undefined;
  #contest: ContestedDatabase | undefined;

  get state(): DatabaseState {
    return this.#state;
  }

  /** Present while `leading` or `observing`. */
  get session(): DatabaseSession | undefined {
    return this.#session;
  }

  /** Present after another program wrote into the database, until it is opened again. */
  get contest(): ContestedDatabase | undefined {
    return this.#contest;
  }

  /** The answer without another attempt; undefined: the database is to be opened. `now` in milliseconds. */
  requested(cluster: KubernetesObject, now: number): Installation | Error | undefined {
    const action = this.#on("requested");
    if (action === "answer" && this.#session !== undefined && isCurrent(this.#session, cluster))
      return this.#session.installation;
    if (action === "open" || this.#failure === undefined) return undefined;
    return isRecent(this.#failure, cluster, now) ? this.#failure.error : undefined;
  }

  heartbeatIsDue(): DatabaseAction<"heartbeat due"> {
    return this.#on("heartbeat due");
  }

  changed(cluster: KubernetesObject): void {
    this.#failure = undefined;
    this.#contest?.changed(cluster);
    this.#on("SipCluster changed");
  }

  secretChanged(): DatabaseAction<"Secret changed"> {
    this.#failure = undefined;
    return this.#on("Secret changed");
  }

  notNeeded(): DatabaseAction<"not needed"> {
    this.#session = undefined;
    this.#failure = undefined;
    this.#contest = undefined;
    return this.#on("not needed");
  }

  opened(session: DatabaseSession): void {
    this.#session = session;
    this.#failure = undefined;
    this.#contest = undefined;
    this.#on(leadershipOf(session) === undefined ? "opened as observer" : "opened as leader");
  }

  /** `tried`: the SipCluster whose spec was tried. Returns the error that answers requests for a while. */
  openingFailed(
    cause: unknown,
    tried: { readonly uid: string; readonly generation: number },
    now: number,
  ): Error {
    this.#failure = openingFailure(cause, tried, now);
    this.#on("opening failed");
    return this.#failure.error;
  }

  lost(event: Exclude<LossEvent, "contested">): DatabaseAction<LossEvent> {
    const action = this.#on(event);
    if (action === "nothing" || action === "report") return action;
    this.#session = undefined;
    this.#failure = undefined;
    return action;
  }

  /** `name` is that of this process, `leader` that of the program that wrote last, `cluster` the SipCluster as it is now. */
  contested(
    { name, leader, lostAt }: { readonly name: string; readonly leader: string; readonly lostAt: number },
    cluster: KubernetesObject | undefined,
  ): DatabaseAction<"contested"> {
    const session = this.#session;
    const action = this.#on("contested");
    if (action === "nothing" || session === undefined) return "nothing";
    const { address, generation, installation } = session;
    const { uid } = session.cluster;
    const lost = { uid, address, installationId: installation.id, name, lostAt };
    this.#session = undefined;
    this.#contest = new ContestedDatabase(lost, leader, cluster);
    this.#failure = openingFailure(this.#contest.failure, { uid, generation }, lostAt);
    return action;
  }

  /** Enters the next state. */
  #on<Event extends DatabaseEvent>(event: Event): DatabaseAction<Event> {
    const { next, action } = databaseTable[this.#state][event];
    this.#state = next;
    return action;
  }
}
