/**
 * Requests to peers and their answers. Each request has a number. A peer that does not answer within 100 ms counts as silent (design-sip
 * rules 4, 6 and 9). A datagram may be lost, so a request that nothing else repeats is sent a second time under the same number.
 */
import type { Seal } from "../wire/seal.ts";
import type { Ms } from "../wire/units.ts";
import { encodeFrame, type FrameKind } from "./frame.ts";
import type { Address, Peer } from "./membership.ts";

export const answerTimeout: Ms = 100;
/** Most answers take a millisecond. `advance` runs every 20 ms. */
const repeatAfter: Ms = 40;
/** Pings are sent periodically, phones repeat their responses, and `HandOver` repeats its own requests. */
const repeatedKinds: ReadonlySet<FrameKind> = new Set([
  "announceFlows",
  "releaseFlows",
  "findOwner",
  "sendToPhone",
  "offer",
  "farewell",
]);

/** The numbers in the answer; undefined: the peer was silent. */
export type PeerAnswer = readonly number[] | undefined;

interface PendingRequest {
  readonly peer: string;
  readonly sentAt: Ms;
  /** Undefined after the repetition, and for kinds that are never repeated. */
  repeat: (() => void) | undefined;
  readonly settle: (answer: PeerAnswer) => void;
}

export interface PeerRequestsDependencies {
  readonly seal: Seal;
  sendToPeer(bytes: Uint8Array, to: Address): void;
}

export class PeerRequests {
  private readonly pending = new Map<number, PendingRequest>();
  private readonly self: string;
  private readonly deps: PeerRequestsDependencies;
  private lastNumber = 0;

  /** `self`: this node's id. */
  constructor(self: string, deps: PeerRequestsDependencies) {
    this.self = self;
    this.deps = deps;
  }

  /** Sends a frame that needs no answer. */
  send(to: Address, kind: FrameKind, body: Buffer, number = 0): void {
    this.deps.sendToPeer(encodeFrame({ kind, from: this.self, number, body }, this.deps.seal), to);
  }

  request(peer: Peer, kind: FrameKind, body: Buffer, now: Ms): Promise<PeerAnswer> {
    this.lastNumber = (this.lastNumber + 1) >>> 0;
    const number = this.lastNumber;
    return new Promise((settle) => {
      const send = () => this.send(peer.address, kind, body, number);
      const repeat = repeatedKinds.has(kind) ? send : undefined;
      this.pending.set(number, { peer: peer.id, sentAt: now, repeat, settle });
      send();
    });
  }

  /** One answer for each peer, in order. */
  requestAll(peers: readonly Peer[], kind: FrameKind, body: Buffer, now: Ms): Promise<PeerAnswer[]> {
    return Promise.all(peers.map((peer) => this.request(peer, kind, body, now)));
  }

  /** An answer arrived. Only the peer that the request was sent to can answer it. */
  receiveAnswer(from: string, number: number, answer: readonly number[]): void {
    const request = this.pending.get(number);
    if (request?.peer !== from) return;
    this.pending.delete(number);
    request.settle(answer);
  }

  /** Repeats requests that may be lost, and ends those whose peer is silent. */
  advance(now: Ms): void {
    for (const [number, request] of this.pending) {
      const age = now - request.sentAt;
      if (age < repeatAfter) return; // the map is in sending order: all others are younger
      if (age >= answerTimeout) {
        this.pending.delete(number);
        request.settle(undefined);
      } else {
        request.repeat?.();
        request.repeat = undefined;
      }
    }
  }
}
