/**
 * Answers to what must be done once: a peer that did not hear the answer in time asks again under the same number, and is told the same
 * without a second deed.
 */
import type { Ms } from "../wire/units.ts";
import { answerWithin } from "./correspondence.ts";

/** Who asks again does so within `answerWithin`; a network may hold a datagram back for as long as this. */
const remembered: Ms = 10 * answerWithin;

export class AnswersGiven {
  private young = new Map<string, readonly number[]>();
  private old = new Map<string, readonly number[]>();
  private turnedAt: Ms = 0;

  /** The answer to that question: the one given before, or else what `answer` says now. */
  once(from: string, number: number, now: Ms, answer: () => readonly number[]): readonly number[] {
    if (now - this.turnedAt >= remembered) {
      this.old = now - this.turnedAt >= 2 * remembered ? new Map<string, readonly number[]>() : this.young;
      this.young = new Map();
      this.turnedAt = now;
    }
    const question = `${from}${number}`;
    const given = this.young.get(question) ?? this.old.get(question);
    if (given !== undefined) return given;
    const words = answer();
    this.young.set(question, words);
    return words;
  }
}
