/** A problem of a received message. It is a value and never thrown. */

/** `status`: the status of the response (RFC 3261 §8.2, §16.3). `reason`: what is wrong, and what was expected. `at`: the byte offset. */
export interface ParseProblem {
  readonly kind: "problem";
  readonly status: 400 | 413 | 414 | 416 | 505 | 513;
  readonly reason: string;
  readonly at: number;
}

/** A reason quotes received text and becomes a reason phrase. The response must not be much larger than the request. */
const maxReasonBytes = 200;

export const problem = (reason: string, at = 0, status: ParseProblem["status"] = 400): ParseProblem => ({
  kind: "problem",
  status,
  reason: reason.slice(0, maxReasonBytes),
  at,
});

export const isProblem = (value: unknown): value is ParseProblem =>
  typeof value === "object" && value !== null && (value as { kind?: unknown }).kind === "problem";
