/** Questions to peers and their answers: numbered, each answered within 100 ms or counted as silence (design-sip rules 4, 6 and 9). */
import type { Ms } from "../wire/units.ts";
import { encodeFrame, type FrameKind } from "./frame.ts";
import type { Address, Peer } from "./membership.ts";
import type { Seal } from "../wire/seal.ts";

export const answerWithin: Ms = 100;

/** The words of the answer, or undefined for silence. */
export type Answer = readonly number[] | undefined;

interface Question {
  readonly peer: string;
  readonly until: Ms;
  readonly settle: (answer: Answer) => void;
}

export class Correspondence {
  private readonly questions = new Map<number, Question>();
  private readonly self: string;
  private readonly seal: Seal;
  private readonly post: (bytes: Uint8Array, to: Address) => void;
  private number = 0;

  constructor(self: string, seal: Seal, post: (bytes: Uint8Array, to: Address) => void) {
    this.self = self;
    this.seal = seal;
    this.post = post;
  }

  /** Sends without expecting an answer. */
  tell(to: Address, kind: FrameKind, body: Buffer, number = 0): void {
    this.post(encodeFrame({ kind, from: this.self, number, body }, this.seal), to);
  }

  ask(peer: Peer, kind: FrameKind, body: Buffer, now: Ms): Promise<Answer> {
    this.number = (this.number + 1) >>> 0;
    const { number } = this;
    return new Promise((settle) => {
      this.questions.set(number, { peer: peer.id, until: now + answerWithin, settle });
      this.tell(peer.address, kind, body, number);
    });
  }

  /** One answer for each peer, in order. */
  askAll(peers: readonly Peer[], kind: FrameKind, body: Buffer, now: Ms): Promise<Answer[]> {
    return Promise.all(peers.map((peer) => this.ask(peer, kind, body, now)));
  }

  /** An answer of the peer that was asked; anybody else's is nobody's. */
  answered(from: string, number: number, words: readonly number[]): void {
    const question = this.questions.get(number);
    if (question?.peer !== from) return;
    this.questions.delete(number);
    question.settle(words);
  }

  /** Settles what has waited too long. */
  sweep(now: Ms): void {
    for (const [number, question] of this.questions) {
      if (question.until > now) return; // asked in order, so all behind it wait longer
      this.questions.delete(number);
      question.settle(undefined);
    }
  }
}
