/** The logins whose SipUser is Ready, and the reasons for the others. Pure. */
import type { Login } from "./exchange.ts";
import { nameOf, type ObjectStatus, type OperatorStatus } from "./operator-status.ts";

/** The logins whose SipUser is Ready, in their order; empty if the operator does not answer. */
export function selectReadyLogins(
  logins: readonly Login[],
  status: OperatorStatus | undefined,
): readonly Login[] {
  const ready = new Set(
    status?.objects.filter(({ kind, isReady }) => kind === "SipUser" && isReady).map(({ key }) => key),
  );
  return logins.filter(({ key }) => ready.has(key));
}

const kindOrder = ["SipCluster", "SipDomain", "SipUser"];

/** The objects that are not Ready, sorted by kind: an object comes after those that it depends on. */
export const listNotReady = ({ objects }: OperatorStatus): readonly ObjectStatus[] =>
  objects
    .filter(({ isReady }) => !isReady)
    .sort((a, b) => kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind) || a.key.localeCompare(b.key));

/**
 * Why some users cannot log in, in one line: the first of a SipCluster that is not Ready, a problem of the YAML, another object that is not
 * Ready. Undefined: no reason is known.
 */
export function explainMissingLogins(status: OperatorStatus | undefined): string | undefined {
  if (status === undefined) return "the operator does not answer";
  const [first] = listNotReady(status);
  const [problem] = status.problems;
  if (problem !== undefined && first?.kind !== "SipCluster") return problem;
  return first === undefined ? undefined : `${nameOf(first)} is not Ready: ${first.state}`;
}
