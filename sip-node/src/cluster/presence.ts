/**
 * This node among the others (design-sip rules 9 and 21): it meets them in `strowger_node`, pings them, notices who fell silent, and
 * says how it stands itself: that it drains, that it has left.
 */
import type { Ms } from "../wire/units.ts";
import type { Answer, Correspondence } from "./correspondence.ts";
import type { Clock } from "./flow-owners.ts";
import { packStanding, type Standing, standingOf, standings } from "./frame.ts";
import { type Address, type Membership, type Peer, pingInterval } from "./membership.ts";
import type { Beat, NodeDirectory } from "./node-directory.ts";

/** Who hears of the others, and says what is to be told of this node. */
export interface PresenceUser {
  about(): Pick<Beat, "figures" | "outsideHeardAgo">;
  peerChanged(peer: Peer, isAlive: boolean): void;
  directoryFailed(error: unknown): void;
  /** A peer's answer to a ping of `askedAt`: how many transactions it holds for this node. */
  told(peer: string, held: number, askedAt: Ms): void;
}

export class Presence {
  private readonly self: { readonly id: string; readonly address: Address };
  private readonly membership: Membership;
  private readonly letters: Correspondence;
  private readonly directory: NodeDirectory;
  private readonly clock: Clock;
  private readonly user: PresenceUser;
  private standing: Standing = "serves";
  private lastPing: Ms = 0;
  private lastBeat: Ms = 0;
  /** Ends with the beats that are under way, however they end. */
  private beating: Promise<unknown> = Promise.resolve();

  constructor(
    self: { readonly id: string; readonly address: Address },
    membership: Membership,
    letters: Correspondence,
    directory: NodeDirectory,
    clock: Clock,
    user: PresenceUser,
  ) {
    this.self = self;
    this.membership = membership;
    this.letters = letters;
    this.directory = directory;
    this.clock = clock;
    this.user = user;
  }

  get isDraining(): boolean {
    return this.standing !== "serves";
  }

  get hasLeft(): boolean {
    return this.standing === "left";
  }

  /** From now on peers give this node nothing new; they, and whoever reads the table, are told at once. */
  drain(): void {
    if (this.isDraining) return;
    this.standing = "drains";
    void this.greet();
    this.sendBeat();
  }

  /** The last word: peers count this node as dead from now on. */
  leave(): void {
    this.standing = "left";
    for (const { address } of this.membership.alive(this.clock.now()))
      this.letters.tell(address, "ping", packStanding("left"));
  }

  /** Takes the node's row out of the table; a beat that is still on its way would bring it back. */
  async unlist(): Promise<void> {
    await this.beating;
    await this.directory.leave(this.self.id);
  }

  /** A frame of this peer came. */
  heard(id: string, address: Address, now: Ms): void {
    if (this.membership.heard(id, address, now)) this.changed(id, true);
  }

  /** What a ping or its answer says of its sender; the answer is this node's own word. */
  pinged(id: string, word: number | undefined): number {
    if (this.membership.stands(id, standingOf(word))) this.changed(id, false);
    return standings[this.standing];
  }

  /** Pings twice a second and beats every second time; silence is noticed by the way. True when it was time. */
  advance(now: Ms): boolean {
    if (now - this.lastPing < pingInterval) return false;
    for (const { id } of this.membership.sweep(this.lastPing, now)) this.changed(id, false);
    this.lastPing = now;
    void this.greet();
    if (now - this.lastBeat >= 2 * pingInterval) this.sendBeat();
    return true;
  }

  /** Pings every peer; resolves when each has answered or been silent for too long. */
  greet(): Promise<void> {
    const now = this.clock.now();
    const peers = this.membership.all().filter(({ standing }) => standing !== "left");
    const asked = this.letters.askAll(peers, "ping", packStanding(this.standing), now);
    return asked.then((answers) => {
      peers.forEach(({ id }, i) => this.greeted(id, answers[i], now));
    });
  }

  /** Meets the other nodes; resolves when their table was read. */
  async beat(): Promise<void> {
    this.lastBeat = this.clock.now();
    const { id, address } = this.self;
    const told = this.directory.beat({ id, address, isDraining: this.isDraining, ...this.user.about() });
    this.beating = Promise.allSettled([this.beating, told]);
    const others = await told;
    const now = this.clock.now();
    for (const other of others) if (other.id !== id) this.membership.introduce(other.id, other.address, now);
  }

  private sendBeat(): void {
    this.beat().catch((error: unknown) => this.user.directoryFailed(error));
  }

  private greeted(id: string, words: Answer, askedAt: Ms): void {
    if (words === undefined) return;
    this.pinged(id, words[0]);
    this.user.told(id, words[1] ?? 0, askedAt);
  }

  private changed(id: string, isAlive: boolean): void {
    const peer = this.membership.get(id);
    if (peer !== undefined) this.user.peerChanged(peer, isAlive);
  }
}
