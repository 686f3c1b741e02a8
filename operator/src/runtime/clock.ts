/** The clock of the runtime, passed in so that tests can control the time. */

/** A length of time in milliseconds. */
export type Ms = number;

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` once after `delay`. The returned function cancels it. */
  after(delay: Ms, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delay, run) {
    const timer = setTimeout(run, delay);
    return () => clearTimeout(timer);
  },
};

/** `now` has a meaning in this process only. It does not change when the time of day is set, and continues while the process is stopped. */
export const monotonicClock: Clock = {
  now: () => performance.now(),
  after: systemClock.after.bind(systemClock),
};
