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

export const problem = (reason: string, at = 0, status: ParseProblem["status"] = 400): ParseProblem =>
  new Problem(reason.slice(0, maxReasonBytes), at, status);

/**
 * A class, because `isProblem` is asked for every header field: `instanceof` looks at the prototype only, and a look-up of `kind` in objects of
 * many shapes is a call of its own. 1.3 % of the time of a call.
 */
class Problem implements ParseProblem {
  readonly kind = "problem";
  readonly status: ParseProblem["status"];
  readonly reason: string;
  readonly at: number;

  constructor(reason: string, at: number, status: ParseProblem["status"]) {
    this.reason = reason;
    this.at = at;
    this.status = status;
  }
}

export const isProblem = (value: unknown): value is ParseProblem => value instanceof Problem;
