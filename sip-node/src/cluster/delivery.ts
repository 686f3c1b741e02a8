/**
 * Delivery of messages to phones (design-sip rules 5 to 7). A message on a connection (TCP) can be sent by the node that has it only: ways 1 to 3. Over
 * UDP the ways are tried in this order:
 *
 *   1. this node's socket          this node owns the flow, or all nodes share the socket address
 *   2. the owner                   the one that this node knows, then the hint of a row or a token
 *   3. the owner by its own word   all peers are asked
 *   4. this node's socket          the hint names this node, which has forgotten the flow, and no peer owns it
 *   5. the second socket           the phone is not behind an address translator
 *   6. the queue                   until the phone's next datagram arrives, then again from 1
 */
import { type Flow, isReliable } from "../wire/flow.ts";
import type { Ms } from "../wire/units.ts";
import type { FlowDirectory } from "./flow-directory.ts";
import { accepted, never, packFlows, packMessage } from "./frame.ts";
import type { Membership } from "./membership.ts";
import { MessageQueue } from "./message-queue.ts";
import type { PeerRequests } from "./peer-requests.ts";

/** A phone to send to: its flow, and what a row or a token says about it. */
export interface Destination {
  readonly flow: Flow;
  readonly isBehindNat: boolean;
  /** Node id of the owner, which may be outdated; "": unknown. */
  readonly ownerNode: string;
}

/** The sockets that send to phones. */
export interface PhoneSockets {
  /** From the socket that phones send to, or on the flow's connection. False: this node has no such connection. */
  sendToPhone(text: string, flow: Flow): boolean;
  /** From the second socket, which no address translator has an entry for (rule 7). */
  sendDirectly(text: string, flow: Flow): void;
}

export interface DeliveryDependencies {
  readonly sockets: PhoneSockets;
  readonly flows: FlowDirectory;
  readonly membership: Membership;
  readonly peerRequests: PeerRequests;
  now(): Ms;
}

const maxQueued = 10_000;

export class Delivery {
  readonly queue = new MessageQueue(maxQueued);
  /** How many messages were sent through peers. */
  relayed = 0;
  private readonly self: { readonly id: string; readonly isPortShared: boolean };
  private readonly deps: DeliveryDependencies;

  constructor(self: { readonly id: string; readonly isPortShared: boolean }, deps: DeliveryDependencies) {
    this.self = self;
    this.deps = deps;
  }

  /** Returns undefined when this node has sent the message. The promise resolves false when no node could send it. */
  deliver(to: Destination, text: string): undefined | Promise<boolean> {
    const mayBeHere = isReliable[to.flow.transport] || this.self.isPortShared || this.isOwner(to.flow);
    if (mayBeHere && this.deps.sockets.sendToPhone(text, to.flow)) return undefined;
    return this.deliverElsewhere(to, text);
  }

  /** Sends a peer's message to a phone whose flow this node owns. Returns false when it does not own it. */
  deliverForPeer(flow: Flow, text: string): boolean {
    const isHere = isReliable[flow.transport] || this.isOwner(flow);
    return isHere && this.deps.sockets.sendToPhone(text, flow);
  }

  private isOwner(flow: Flow): boolean {
    return this.deps.flows.get(flow.key)?.owner === this.self.id;
  }

  /** This node was the owner and has forgotten the flow, because it knew too many. */
  private isForgotten({ flow, ownerNode }: Destination): boolean {
    return ownerNode === this.self.id && this.deps.flows.get(flow.key) === undefined;
  }

  private async deliverElsewhere(to: Destination, text: string): Promise<boolean> {
    const body = packMessage(to.flow, text);
    for (const id of new Set([this.deps.flows.get(to.flow.key)?.owner, to.ownerNode]))
      if (id !== undefined && (await this.sendThroughPeer(id, body))) return true;
    const owner = await this.findOwner(to.flow);
    if (owner !== undefined && (await this.sendThroughPeer(owner, body))) return true;
    if (isReliable[to.flow.transport]) return false; // the connection is lost
    if (this.isForgotten(to)) {
      this.deps.sockets.sendToPhone(text, to.flow);
      return true;
    }
    if (!to.isBehindNat) {
      this.deps.sockets.sendDirectly(text, to.flow);
      return true;
    }
    const result = await this.queue.wait(to.flow.key, text, this.deps.now());
    if (result !== "reachable") return result === "repeated";
    return (await this.deliver(to, text)) ?? true;
  }

  private async sendThroughPeer(id: string, body: Buffer): Promise<boolean> {
    const now = this.deps.now();
    const peer = this.deps.membership.get(id);
    if (peer === undefined || !this.deps.membership.isAlive(id, now)) return false;
    this.relayed += 1;
    const answer = await this.deps.peerRequests.request(peer, "sendToPhone", body, now);
    return answer?.[0] === accepted;
  }

  /** Asks all live peers. Returns the one that received from the flow last. */
  private async findOwner(flow: Flow): Promise<string | undefined> {
    const now = this.deps.now();
    const peers = this.deps.membership.alive(now);
    const answers = await this.deps.peerRequests.requestAll(peers, "findOwner", packFlows([flow]), now);
    const ages = answers.map((answer) => answer?.[0] ?? never);
    const least = ages.reduce((least, age) => Math.min(least, age), never);
    return least === never ? undefined : peers[ages.indexOf(least)]?.id;
  }
}
