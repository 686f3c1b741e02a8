/** What is wrong with a message that a peer sent: a value, never a throw. */

/** `status` is what a UAS answers (RFC 3261 §8.2, §16.3), `reason` says what, which and what was expected; `at` is the byte offset. */
export interface ParseProblem {
  readonly kind: "problem";
  readonly status: 400 | 413 | 414 | 416 | 505 | 513;
  readonly reason: string;
  readonly at: number;
}

export const problem = (reason: string, at = 0, status: ParseProblem["status"] = 400): ParseProblem => ({
  kind: "problem",
  status,
  reason,
  at,
});

export const isProblem = (value: unknown): value is ParseProblem =>
  typeof value === "object" && value !== null && (value as { kind?: unknown }).kind === "problem";
