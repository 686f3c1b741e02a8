/**
 * Duplicate detection for requests of peers. A peer that receives no answer in time repeats its request under the same number. It gets the
 * same answer, and the request is not carried out twice.
 */
import type { Ms } from "../wire/units.ts";
import { answerTimeout } from "./peer-requests.ts";

/** A peer repeats a request within `answerTimeout`. A network may delay a datagram up to this time. */
const answerLifetime: Ms = 10 * answerTimeout;

export class DuplicateDetection {
  /** Answers of two generations, by sender and number. A generation lasts `answerLifetime`. */
  private current = new Map<string, readonly number[]>();
  private previous = new Map<string, readonly number[]>();
  private currentSince: Ms = 0;

  /** Returns the earlier answer to this request. Calls `handle` when there is none. */
  answerOnce(from: string, number: number, now: Ms, handle: () => readonly number[]): readonly number[] {
    if (now - this.currentSince >= answerLifetime) this.startGeneration(now);
    const key = `${from}${number}`;
    const earlier = this.current.get(key) ?? this.previous.get(key);
    if (earlier !== undefined) return earlier;
    const answer = handle();
    this.current.set(key, answer);
    return answer;
  }

  private startGeneration(now: Ms): void {
    const isPreviousExpired = now - this.currentSince >= 2 * answerLifetime;
    this.previous = isPreviousExpired ? new Map<string, readonly number[]>() : this.current;
    this.current = new Map();
    this.currentSince = now;
  }
}
