/**
 * Asks every database by itself: one that is away, hangs, or was tampered with by whoever may write it, keeps no other SipCluster's from
 * being asked. What failed is handed back, and the caller says it when the others are served.
 */
import type { Installation } from "../adapters/mysql/installation.ts";

export interface Asked<Answer> {
  readonly answers: readonly Answer[];
  /** One for each database that did not answer. */
  readonly failures: readonly unknown[];
}

/** All at once; resolves when the last one has answered or failed. Never throws. */
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

/** For a removal: whether some database had what was to go. Throws where none had it and some could not be asked. */
export async function removeFromEach(
  installations: readonly Installation[],
  remove: (installation: Installation) => Promise<boolean>,
): Promise<void> {
  const { answers, failures } = await askEach(installations, remove);
  if (!answers.includes(true) && failures.length > 0) throw failures[0];
}
