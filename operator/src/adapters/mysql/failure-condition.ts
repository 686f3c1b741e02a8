/** The condition of an object whose reconcile failed. The error itself is passed on to the loop, which backs off. */
import type { NewCondition } from "../../runtime/condition.ts";
import { notReady } from "../../runtime/decision.ts";
import { failureOf } from "./failure.ts";
import { LeadershipLost } from "./installation.ts";

/** Of a SipCluster: with the details of the failure. */
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
 * Of an object that needs the database of a SipCluster, perhaps in another namespace: without details. Errors of the database and of
 * Kubernetes name hosts, users and Secrets, which only the SipCluster and the log may show. Undefined if this process is not the leader any
 * more: the next leader writes the condition.
 */
export function outlinedFailureCondition(error: unknown): NewCondition | undefined {
  if (error instanceof LeadershipLost) return undefined;
  const condition = failureCondition(error);
  const message = outlines.get(condition.reason);
  return message === undefined ? condition : { ...condition, message };
}

const outlines: ReadonlyMap<string, string> = new Map([
  ["DatabaseUnavailable", "the database cannot be reached now; its SipCluster's conditions say why"],
  [
    "DatabaseTaken",
    "another operator writes to its SipCluster's database; the SipCluster's conditions say more",
  ],
  ["InternalError", "unexpected; tried again, see the operator's log"],
]);
