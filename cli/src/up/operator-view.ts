/** What the operator says at /status, and what is new in it. */
import type { Problem } from "../../../operator/src/sources/files/problem.ts";

export interface OperatorView {
  /** What is wrong with the YAML now, a line each. */
  readonly problems: readonly string[];
  /** `SipUser default/alice` → `Ready (generation 2)`. */
  readonly states: ReadonlyMap<string, string>;
}

interface StatusPage {
  readonly problems: readonly Problem[];
  readonly objects: readonly StatusObject[];
}

interface StatusObject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  readonly status?: {
    readonly conditions?: readonly { type: string; status: string; reason: string; message: string }[];
  };
}

/** undefined when the operator does not answer within a second. */
export async function viewOperator(operatorUrl: string): Promise<OperatorView | undefined> {
  try {
    const response = await fetch(`${operatorUrl}/status`, { signal: AbortSignal.timeout(1000) });
    const { problems, objects } = (await response.json()) as StatusPage;
    return {
      problems: problems.map(({ file, line, message }) => `${file}:${line}: ${message}`),
      states: new Map(
        objects.map((object) => [`${object.kind} ${object.namespace}/${object.name}`, stateOf(object)]),
      ),
    };
  } catch {
    return undefined;
  }
}

/** One line for each object that came, changed or went, and for each problem that came; may be empty. */
export function news(before: OperatorView, now: OperatorView): string[] {
  const changed = [...now.states].flatMap(([name, state]) =>
    before.states.get(name) === state ? [] : [`${name}: ${state}`],
  );
  const gone = [...before.states.keys()].flatMap((name) =>
    now.states.has(name) ? [] : [`${name}: removed`],
  );
  const problems = now.problems.filter((problem) => !before.problems.includes(problem));
  const isMended = before.problems.length > 0 && now.problems.length === 0;
  return [...problems, ...(isMended ? ["the YAML is valid again"] : []), ...changed, ...gone];
}

function stateOf({ generation, status }: StatusObject): string {
  const ready = status?.conditions?.find((condition) => condition.type === "Ready");
  if (ready === undefined) return "seen, not yet in the database";
  const state = ready.status === "True" ? "Ready" : `${ready.reason}: ${ready.message}`;
  return `${state} (generation ${generation})`;
}
