/**
 * Runs a request on every database, each independently: a database that is unavailable, hangs, or contains invalid rows does not affect the
 * others. Failures are returned, so that the caller can report them after the others are done.
 */
import type { Installation } from "../adapters/mysql/installation.ts";

export interface Asked<Answer> {
  readonly answers: readonly Answer[];
  /** One for each failed request. */
  readonly failures: readonly unknown[];
}

/** All at the same time. Resolves when all have ended. Never throws. */
export async function askEach<Answer>(
  installations: readonly Installation[],
  ask: (installation: Installation) => Promise<Answer>,
): Promise<Asked<Answer>> {
  const settled = await Promise.allSettled(installations.map(ask));
  return {
    answers: settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])),
    failures: settled.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : [])),
  };
}

/** `remove` returns whether it removed anything. Throws if no database did, and some could not be asked. */
export async function removeFromEach(
  installations: readonly Installation[],
  remove: (installation: Installation) => Promise<boolean>,
): Promise<void> {
  const { answers, failures } = await askEach(installations, remove);
  if (!answers.includes(true) && failures.length > 0) throw failures[0];
}
