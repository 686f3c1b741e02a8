/** The timers of RFC 3261 §17 and Table 4 of its Appendix A, with L and M of RFC 6026 §8.4: how long each one runs. */
import { type Flow, isReliable } from "../wire/flow.ts";
import type { Ms } from "../wire/units.ts";

export interface TimerSettings {
  /** Round-trip time estimate. */
  readonly t1: Ms;
  /** Longest interval between retransmissions of non-INVITE requests and INVITE responses. */
  readonly t2: Ms;
  /** Longest time that a message stays in the network. */
  readonly t4: Ms;
}

export type TimerName = "A" | "B" | "D" | "E" | "F" | "G" | "H" | "I" | "J" | "K" | "L" | "M";

/** First length of each timer in Ms. 0 fires at once; undefined never starts: a reliable transport retransmits by itself. */
export type TimerLengths = Readonly<Record<TimerName, Ms | undefined>>;

/** T1, T2, T4 of RFC 3261 Table 4. */
export const defaultTimers: TimerSettings = { t1: 500, t2: 4000, t4: 5000 };

/** §17.1.1.2 requires a Timer D of at least 32 seconds, whatever T1 is. */
const leastTimerD: Ms = 32_000;

/** The two columns of Table 4, chosen by the transport of a flow. */
export function timerLengths(settings: TimerSettings): (flow: Flow) => TimerLengths {
  const unreliable = unreliableLengths(settings);
  const reliable = reliableLengths(settings);
  return (flow) => (isReliable[flow.transport] ? reliable : unreliable);
}

export const unreliableLengths = ({ t1, t4 }: TimerSettings): TimerLengths => ({
  A: t1,
  B: 64 * t1,
  D: Math.max(leastTimerD, 64 * t1),
  E: t1,
  F: 64 * t1,
  G: t1,
  H: 64 * t1,
  I: t4,
  J: 64 * t1,
  K: t4,
  L: 64 * t1,
  M: 64 * t1,
});

export const reliableLengths = (settings: TimerSettings): TimerLengths => ({
  ...unreliableLengths(settings),
  A: undefined,
  D: 0,
  E: undefined,
  G: undefined,
  I: 0,
  J: 0,
  K: 0,
});
