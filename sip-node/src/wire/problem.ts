/** What is wrong with a message that a peer sent: a value, never a throw. */

/** `status` is what a UAS answers (RFC 3261 §8.2, §16.3), `reason` says what, which and what was expected; `at` is the byte offset. */
export interface ParseProblem {
  readonly kind: "problem";
  readonly status: 400 | 413 | 414 | 416 | 505 | 513;
  readonly reason: string;
  readonly at: number;
}

/** A reason quotes what the peer sent; it becomes a reason phrase and must not make one packet a much larger one. */
const maxReasonBytes = 200;

export const problem = (reason: string, at = 0, status: ParseProblem["status"] = 400): ParseProblem => ({
  kind: "problem",
  status,
  reason: reason.slice(0, maxReasonBytes),
  at,
});

export const isProblem = (value: unknown): value is ParseProblem =>
  typeof value === "object" && value !== null && (value as { kind?: unknown }).kind === "problem";
