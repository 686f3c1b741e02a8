/** Who can log in: what the YAML says, as far as the operator has made it so. Pure. */
import type { Login } from "./exchange.ts";
import { nameOf, type ObjectView, type OperatorView } from "./operator-view.ts";

/** Those of `logins` whose SipUser is Ready, in their order; none where the operator does not answer. */
export function whoCanLogIn(logins: readonly Login[], view: OperatorView | undefined): readonly Login[] {
  const ready = new Set(
    view?.objects.filter(({ kind, isReady }) => kind === "SipUser" && isReady).map(({ key }) => key),
  );
  return logins.filter(({ key }) => ready.has(key));
}

const order = ["SipCluster", "SipDomain", "SipUser"];

/** Those that are not Ready, what others depend on first. */
export const notReady = ({ objects }: OperatorView): readonly ObjectView[] =>
  objects
    .filter(({ isReady }) => !isReady)
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || a.key.localeCompare(b.key));

/**
 * Why not everybody can, in one line: the exchange itself, else what is wrong with the YAML, else the object that most depends on. Undefined:
 * nothing is known.
 */
export function whyNot(view: OperatorView | undefined): string | undefined {
  if (view === undefined) return "the operator does not answer";
  const [first] = notReady(view);
  const [problem] = view.problems;
  if (problem !== undefined && first?.kind !== "SipCluster") return problem;
  return first === undefined ? undefined : `${nameOf(first)} is not Ready: ${first.state}`;
}
