/** Waits until the operator has reconciled every object, so that the summary shows their final conditions. */
import { setTimeout as sleep } from "node:timers/promises";
import { fetchOperatorStatus, type OperatorStatus } from "./operator-status.ts";

/** An object that is not Ready may become Ready shortly after: when another object releases a name, or when a password is generated. */
const unchangedMs = 3_000;
const timeoutMs = 30_000;

/**
 * Resolves when every object is Ready, or when every object is reconciled and the status has not changed for 3 s, or after 30 s. Undefined if the
 * operator does not answer. Throws when `stop` is raised.
 */
export async function waitForSettledStatus(
  operatorUrl: string,
  stop: AbortSignal,
): Promise<OperatorStatus | undefined> {
  const deadline = Date.now() + timeoutMs;
  let status: OperatorStatus | undefined;
  let [lastText, unchangedSince] = ["", Date.now()];
  do {
    status = (await fetchOperatorStatus(operatorUrl)) ?? status;
    const text = JSON.stringify(status);
    if (text !== lastText) [lastText, unchangedSince] = [text, Date.now()];
    if (status !== undefined && areAllReady(status)) return status;
    if (status !== undefined && isReconciled(status) && Date.now() - unchangedSince >= unchangedMs)
      return status;
    await sleep(100, undefined, { signal: stop });
  } while (Date.now() < deadline);
  return status;
}

const areAllReady = ({ problems, objects, pendingRemovals }: OperatorStatus): boolean =>
  problems.length === 0 && pendingRemovals.length === 0 && objects.every(({ isReady }) => isReady);

/** While files have problems, the operator does not decide which objects are absent, so `isSettled` stays false. */
const isReconciled = ({ problems, objects, isSettled }: OperatorStatus): boolean =>
  (isSettled || problems.length > 0) && objects.every(({ isPending }) => !isPending);
