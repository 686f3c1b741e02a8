/** What a reconcile that failed says about itself. The failure itself goes on to the loop, which backs off. */
import type { NewCondition } from "../../runtime/condition.ts";
import { notReady } from "../../runtime/decision.ts";
import { failureOf } from "./failure.ts";
import { LeadershipLost } from "./installation.ts";

/** Of a SipCluster: which way its database is away. */
export function failureCondition(error: unknown): NewCondition {
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

/**
 * Of whoever needs a SipCluster's database, perhaps in another namespace: that it failed. Hosts, users and Secrets, which errors of the
 * database and of Kubernetes name, are its SipCluster's and the log's to tell. Nothing from one who leads no more: what is so is for the
 * next leader to say.
 */
export function outlinedFailureCondition(error: unknown): NewCondition | undefined {
  if (error instanceof LeadershipLost) return undefined;
  const verdict = failureCondition(error);
  const message = outline.get(verdict.reason);
  return message === undefined ? verdict : { ...verdict, message };
}

const outline: ReadonlyMap<string, string> = new Map([
  ["DatabaseUnavailable", "the database cannot be reached now; its SipCluster's conditions say why"],
  [
    "DatabaseTaken",
    "another operator writes to its SipCluster's database; the SipCluster's conditions say more",
  ],
  ["InternalError", "unexpected; tried again, the operator's log says what"],
]);
