/**
 * The operator with 10,000 SipUsers at once, against the API server's own time for the same writes.
 *
 *   node test/bench/workloads/operator.ts [--users 10000] [--passwords own|generated|shared] [--workers N] [--profile folder]
 *
 * API server alone: a plain client creates the objects, and for each user sends the two writes that no operator can avoid: the finalizer
 * (merge patch), and the status (server-side apply, of the same size as the operator's). From the first create to the last answer. With
 * `own`, as in a file of users, each SipUser is created after its own Secret; with `generated` the plain client creates the Secret of the
 * password.
 *
 * Operator: the same client only creates. From the first create until every SipUser is Ready. Creates and writes have the same number of
 * requests at the same time in both.
 */
import { parseArgs } from "node:util";
import type { OperatorResult } from "../results.ts";
import { measureAlone, measureWithOperator, type OperatorPlan } from "./operator-times.ts";
import type { Passwords } from "./operator-users.ts";

export async function measureOperator(
  progress: (text: string) => void,
  plan: OperatorPlan = { users: 10_000, passwords: "own" },
): Promise<OperatorResult> {
  const alone = await measureAlone(plan);
  progress(`API server alone: ${JSON.stringify(alone)}`);
  const operator = await measureWithOperator(plan);
  progress(`operator: ${JSON.stringify(operator)}`);
  return {
    users: plan.users,
    seconds: operator.seconds,
    apiServerSeconds: alone.seconds,
    requestsPerUser: operator.requests,
    bytesPerUser: operator.memory,
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      users: { type: "string", default: "10000" },
      passwords: { type: "string", default: "own" },
      profile: { type: "string" },
      workers: { type: "string" },
    },
  });
  const { users, passwords, profile, workers } = values;
  const result = await measureOperator((text) => console.log(text), {
    users: Number(users),
    passwords: passwords as Passwords,
    ...(profile === undefined ? {} : { profile }),
    ...(workers === undefined ? {} : { variables: { STROWGER_WORKERS: workers } }),
  });
  console.log(JSON.stringify({ ...result, ratio: result.seconds / result.apiServerSeconds }));
}
