/**
 * Bytes to a phone (design-sip rules 5 to 7): by this node's socket, through the flow's owner, through whoever heard it, by this node's
 * socket where a row or token names it and nobody knows better, directly, or when it is heard next.
 */
import type { Flow } from "../wire/flow.ts";
import type { Ms } from "../wire/units.ts";
import type { Correspondence } from "./correspondence.ts";
import type { FlowDirectory } from "./flow-directory.ts";
import { never } from "./flow-owners.ts";
import { packFlows, packMessage, taken } from "./frame.ts";
import type { Membership } from "./membership.ts";
import { Parking } from "./parking.ts";

/** A phone to be reached: its flow, and what a row or a token says of it. */
export interface Destination {
  readonly flow: Flow;
  readonly isBehindNat: boolean;
  /** Node id, a hint; "" for none. */
  readonly ownerNode: string;
}

/** The sockets that phones are reached by. */
export interface PhoneSockets {
  /** From the socket that phones know. */
  sendToPhone(bytes: Uint8Array, flow: Flow): void;
  /** From the second socket, which no address translator knows (rule 7). */
  sendDirectly(bytes: Uint8Array, flow: Flow): void;
}

export class Delivery {
  readonly parking = new Parking(10_000);
  /** Messages sent through peers. */
  relayed = 0;
  private readonly self: { readonly id: string; readonly isPortShared: boolean };
  private readonly sockets: PhoneSockets;
  private readonly flows: FlowDirectory;
  private readonly membership: Membership;
  private readonly letters: Correspondence;
  private readonly now: () => Ms;

  constructor(
    self: { readonly id: string; readonly isPortShared: boolean },
    sockets: PhoneSockets,
    flows: FlowDirectory,
    membership: Membership,
    letters: Correspondence,
    now: () => Ms,
  ) {
    this.self = self;
    this.sockets = sockets;
    this.flows = flows;
    this.membership = membership;
    this.letters = letters;
    this.now = now;
  }

  /** Sends at once where this node can; the promise says whether the phone's owner, or anybody, could. */
  deliver(to: Destination, bytes: Uint8Array): undefined | Promise<boolean> {
    if (this.self.isPortShared || this.isOwner(to.flow)) {
      this.sockets.sendToPhone(bytes, to.flow);
      return undefined;
    }
    return this.deliverElsewhere(to, bytes);
  }

  /** For a peer, to a phone whose flow is this node's; false when it is not. */
  deliverFor(flow: Flow, bytes: Uint8Array): boolean {
    if (!this.isOwner(flow)) return false;
    this.sockets.sendToPhone(bytes, flow);
    return true;
  }

  private isOwner(flow: Flow): boolean {
    return this.flows.get(flow.key)?.owner === this.self.id;
  }

  /** A flow that this node is said to own and knows nothing of any more: it had to make room. */
  private isForgotten({ flow, ownerNode }: Destination): boolean {
    return ownerNode === this.self.id && this.flows.get(flow.key) === undefined;
  }

  private async deliverElsewhere(to: Destination, bytes: Uint8Array): Promise<boolean> {
    const body = packMessage(to.flow, bytes);
    for (const id of new Set([this.flows.get(to.flow.key)?.owner, to.ownerNode]))
      if (id !== undefined && (await this.sendThrough(id, body))) return true;
    const owner = await this.whoHeard(to.flow);
    if (owner !== undefined && (await this.sendThrough(owner, body))) return true;
    if (this.isForgotten(to)) {
      this.sockets.sendToPhone(bytes, to.flow);
      return true;
    }
    if (!to.isBehindNat) {
      this.sockets.sendDirectly(bytes, to.flow);
      return true;
    }
    if (!(await this.parking.wait(to.flow.key, bytes, this.now()))) return false;
    return (await this.deliver(to, bytes)) ?? true;
  }

  private async sendThrough(id: string, body: Buffer): Promise<boolean> {
    const now = this.now();
    const peer = this.membership.get(id);
    if (peer === undefined || !this.membership.isAlive(id, now)) return false;
    this.relayed += 1;
    const answer = await this.letters.ask(peer, "send", body, now);
    return answer?.[0] === taken;
  }

  /** The live peer that heard the flow last, by its own word. */
  private async whoHeard(flow: Flow): Promise<string | undefined> {
    const now = this.now();
    const peers = this.membership.alive(now);
    const answers = await this.letters.askAll(peers, "whoHeard", packFlows([flow]), now);
    const ages = answers.map((words) => words?.[0] ?? never);
    const youngest = ages.reduce((least, age) => Math.min(least, age), never);
    return youngest === never ? undefined : peers[ages.indexOf(youngest)]?.id;
  }
}
