/** What a reconcile that failed says about itself. The failure itself goes on to the loop, which backs off. */
import type { Verdict } from "../../runtime/condition.ts";
import { notReady } from "../../runtime/decision.ts";
import { failureOf } from "./failure.ts";
import { LeadershipLost } from "./installation.ts";

/** The same, but nothing from one who leads no more: what is so is for the next leader to say. */
export const statedFailure = (error: unknown): Verdict | undefined =>
  error instanceof LeadershipLost ? undefined : verdictOfFailure(error);

/** Which way a database is away is its SipCluster's to say; everybody else says that it is away. */
export function verdictOfFailure(error: unknown): Verdict {
  const failure = failureOf(error);
  if (failure === undefined)
    return notReady(
      "InternalError",
      `unexpected: ${error instanceof Error ? error.message : String(error)}; tried again, see the log`,
    );
  const { reason, message } = failure;
  const isOfDatabase = reason !== "Conflict" && reason !== "DatabaseTaken";
  return notReady(isOfDatabase ? "DatabaseUnavailable" : reason, message);
}
