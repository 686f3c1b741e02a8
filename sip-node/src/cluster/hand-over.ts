/**
 * The leaving node's side of a drain (design-sip rule 21): each new request goes to a peer that stays, and what belongs to it follows.
 *
 *   new request ──► hand ──► does a peer hold it already? ──► rendezvous over the peers that live and stay ──► "hand" frame
 *                                │ yes: nothing to do             │ refused: the next one    │ taken: its answers come back through
 *                                                                 │ none left: served here   │ this node while it owns the flow
 *   its CANCEL, ACK ──► follow ──► waits for the choice, then the same way
 *
 * Two nodes must never serve one request, or a phone rings twice: a peer that is silent is asked again until it counts as dead, for it
 * may have taken the request and its answer be lost.
 */
import type { Flow } from "../wire/flow.ts";
import { maxTransactions } from "../wire/limits.ts";
import type { Ms } from "../wire/units.ts";
import type { Answer, Correspondence } from "./correspondence.ts";
import { packMessage, taken } from "./frame.ts";
import { deadAfter, type Membership, type Peer } from "./membership.ts";
import { rendezvous } from "./rendezvous.ts";

/** A request that this node heard and does not hold. */
export interface NewRequest {
  /** Equal for all messages of one transaction, CANCEL and ACK among them. */
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly flow: Flow;
  /** Whether a peer holds its transaction already; undefined where none is asked. */
  readonly isHeld: Promise<boolean> | undefined;
  /** Serves it here. What belongs to it finds its transaction from then on. */
  readonly serve: () => void;
}

/** Who has it: a peer's id, `held`: a peer that had it before, `here`: this node. */
type Outcome = { readonly peer: string } | "held" | "here";

/** A frame is one datagram, and the message is not all of it. */
const longestBody = 60_000;
/** Requests that wait for a peer's word at most: in a flood it may be long in coming. */
const maxPending = 10_000;

export class HandOver {
  /** Requests given to peers. */
  given = 0;
  private readonly choices = new Map<string, Promise<Outcome>>();
  private readonly pending = new Map<string, number>();
  /** Peers that may hold something for this node, each with the time it was last given something. */
  private readonly holders = new Map<string, Ms>();
  private readonly membership: Membership;
  private readonly letters: Correspondence;
  private readonly now: () => Ms;
  private readonly maxChoices: number;

  /** `maxChoices`: how many choices are remembered; the oldest is forgotten first. */
  constructor(
    membership: Membership,
    letters: Correspondence,
    now: () => Ms,
    maxChoices: number = maxTransactions,
  ) {
    this.maxChoices = maxChoices;
    this.membership = membership;
    this.letters = letters;
    this.now = now;
  }

  /** Whether nothing is under way and no live peer holds anything for this node. */
  get isDone(): boolean {
    const now = this.now();
    return (
      this.pending.size === 0 && ![...this.holders.keys()].some((id) => this.membership.isAlive(id, now))
    );
  }

  /** Whether this node is about to decide who serves this transaction. */
  isPending(key: string): boolean {
    return this.pending.has(key);
  }

  hand(request: NewRequest): void {
    const { key } = request;
    if (this.pending.size >= maxPending && !this.pending.has(key)) return request.serve();
    const choice = this.give(request, this.choices.get(key)).finally(() => this.settled(key));
    this.pending.set(key, (this.pending.get(key) ?? 0) + 1);
    this.choices.delete(key); // to the end of the order of age
    this.choices.set(key, choice);
    if (this.choices.size > this.maxChoices) this.forgetOldest();
  }

  /** For a message that belongs to a request handed over before; false when it is not with a peer that this node chose. */
  async follow(key: string, bytes: Uint8Array, flow: Flow): Promise<boolean> {
    const outcome = await this.choices.get(key);
    if (typeof outcome !== "object") return false;
    return (await this.ask(outcome.peer, packMessage(flow, bytes))) === "taken";
  }

  /** What a peer said to a ping sent at `askedAt`: how many transactions it holds for this node. */
  told(peer: string, held: number, askedAt: Ms): void {
    if (held === 0 && askedAt > (this.holders.get(peer) ?? askedAt)) this.holders.delete(peer);
  }

  /** A request that comes again goes where it went, unless that peer died. */
  private async give(request: NewRequest, before: Promise<Outcome> | undefined): Promise<Outcome> {
    const earlier = await before;
    const chosen = typeof earlier === "object" ? earlier.peer : undefined;
    if (chosen === undefined && (await request.isHeld) === true) return "held";
    const body = packMessage(request.flow, request.bytes);
    const asked = new Set<string>();
    let id = chosen ?? this.choose(request.key, asked)?.id;
    while (id !== undefined && body.length <= longestBody) {
      const answer = await this.ask(id, body);
      if (answer === "taken") return { peer: id };
      if (answer === "silent") break;
      asked.add(id);
      id = this.choose(request.key, asked)?.id;
    }
    request.serve();
    return "here";
  }

  private choose(key: string, asked: ReadonlySet<string>): Peer | undefined {
    return rendezvous(
      key,
      this.membership.serving(this.now()).filter(({ id }) => !asked.has(id)),
    );
  }

  /** `silent`: the peer lives, and yet does not answer this; frames of this size may not reach it. */
  private async ask(id: string, body: Buffer): Promise<"taken" | "refused" | "dead" | "silent"> {
    const start = this.now();
    for (let now = start; now - start < deadAfter; now = this.now()) {
      const peer = this.membership.get(id);
      if (peer === undefined || !this.membership.isAlive(id, now)) return "dead";
      this.holders.set(id, now);
      const answer: Answer = await this.letters.ask(peer, "hand", body, now);
      if (answer === undefined) continue;
      if (answer[0] !== taken) return "refused";
      this.holders.set(id, this.now()); // a ping may have overtaken the request, and its answer said "nothing"
      this.given += 1;
      return "taken";
    }
    return "silent";
  }

  private settled(key: string): void {
    const left = (this.pending.get(key) ?? 0) - 1;
    if (left > 0) this.pending.set(key, left);
    else this.pending.delete(key);
  }

  private forgetOldest(): void {
    const oldest = this.choices.keys().next();
    if (oldest.done !== true) this.choices.delete(oldest.value);
  }
}
