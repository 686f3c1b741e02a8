/** Time as the runtime sees it: handed in, so that tests can turn it by hand. */

/** A length of time in milliseconds. */
export type Ms = number;

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` once after `delay`; the returned function calls it off. */
  after(delay: Ms, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delay, run) {
    const timer = setTimeout(run, delay);
    return () => clearTimeout(timer);
  },
};

/** `now` is of this process alone: it never jumps, whatever happens to the time of day, and goes on while the process is stopped. */
export const monotonicClock: Clock = {
  now: () => performance.now(),
  after: systemClock.after.bind(systemClock),
};
