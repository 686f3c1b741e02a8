/** The condition Ready of a decision. */
import type { NewCondition } from "../../../operator/src/runtime/condition.ts";
import type { Decision } from "../../../operator/src/runtime/decision.ts";

export function readyOf({ conditions }: Pick<Decision<unknown>, "conditions">): NewCondition {
  const found = conditions.find(({ type }) => type === "Ready");
  if (found === undefined) throw new Error("the decision has no condition Ready");
  return found;
}
