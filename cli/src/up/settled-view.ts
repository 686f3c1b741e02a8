/** Waits until the operator has judged every object, so that what is said of them then is true. */
import { setTimeout as sleep } from "node:timers/promises";
import { viewOperator, type OperatorView } from "./operator-view.ts";

/** What is not Ready may be about to be: a name that is let go, a password that is made. */
const quietMs = 3_000;
const patienceMs = 30_000;

/**
 * Resolves as soon as every object is Ready, else once nothing has changed for three seconds, after half a minute at the latest. Undefined
 * where the operator does not answer. Throws when `stop` is raised.
 */
export async function settledView(operatorUrl: string, stop: AbortSignal): Promise<OperatorView | undefined> {
  const deadline = Date.now() + patienceMs;
  let view: OperatorView | undefined;
  let [seen, since] = ["", Date.now()];
  do {
    view = (await viewOperator(operatorUrl)) ?? view;
    const now = JSON.stringify(view);
    if (now !== seen) [seen, since] = [now, Date.now()];
    if (view !== undefined && isAllReady(view)) return view;
    if (view !== undefined && isJudged(view) && Date.now() - since >= quietMs) return view;
    await sleep(100, undefined, { signal: stop });
  } while (Date.now() < deadline);
  return view;
}

const isAllReady = ({ problems, objects, leaving }: OperatorView): boolean =>
  problems.length === 0 && leaving.length === 0 && objects.every(({ isReady }) => isReady);

/** Where files have problems, what is absent stays undecided. */
const isJudged = ({ problems, objects, isSettled }: OperatorView): boolean =>
  (isSettled || problems.length > 0) && objects.every(({ isPending }) => !isPending);
