/**
 * Questions to peers and their answers: numbered, each answered within 100 ms or counted as silence (design-sip rules 4, 6 and 9).
 * One datagram may be lost: what nobody else repeats is asked once more under its number.
 */
import type { Ms } from "../wire/units.ts";
import { encodeFrame, type FrameKind } from "./frame.ts";
import type { Address, Peer } from "./membership.ts";
import type { Seal } from "../wire/seal.ts";

export const answerWithin: Ms = 100;
/** Most answers take a millisecond; the sweep that looks for this comes every 20 ms. */
const repeatAfter: Ms = 40;
/** Pings come again by themselves, and phones repeat their responses. */
const repeated: ReadonlySet<FrameKind> = new Set(["heard", "moved", "whoHeard", "send", "offer"]);

/** The words of the answer, or undefined for silence. */
export type Answer = readonly number[] | undefined;

interface Question {
  readonly peer: string;
  readonly askedAt: Ms;
  /** Undefined once it was, and for what is never repeated. */
  repeat: (() => void) | undefined;
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
      const send = () => this.tell(peer.address, kind, body, number);
      const repeat = repeated.has(kind) ? send : undefined;
      this.questions.set(number, { peer: peer.id, askedAt: now, repeat, settle });
      send();
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

  /** Repeats what may be lost and settles what has waited too long. */
  sweep(now: Ms): void {
    for (const [number, question] of this.questions) {
      const age = now - question.askedAt;
      if (age < repeatAfter) return; // asked in order, so all behind it are younger
      if (age >= answerWithin) {
        this.questions.delete(number);
        question.settle(undefined);
      } else {
        question.repeat?.();
        question.repeat = undefined;
      }
    }
  }
}
