/** What the operator says at /status, and what is new in it. */
import type { Problem } from "../../../operator/src/sources/files/problem.ts";

export interface ObjectView {
  readonly kind: string;
  /** `default/alice`. */
  readonly key: string;
  /** `Ready (generation 2)`, `DomainNotFound: there is no ... (generation 1)`. */
  readonly state: string;
  readonly isReady: boolean;
  /** The operator has not judged it as it is now. */
  readonly isPending: boolean;
}

/** Gone from the folder, and its rows are still in the database. */
export interface LeavingView {
  readonly kind: string;
  readonly key: string;
  /** So many were gone at once that none of them is removed. */
  readonly isKept: boolean;
}

export interface OperatorView {
  /** What is wrong with the YAML now, a line each. */
  readonly problems: readonly string[];
  readonly objects: readonly ObjectView[];
  readonly leaving: readonly LeavingView[];
  /** What is absent from the folder is absent on purpose, and what it left is known. */
  readonly isSettled: boolean;
}

interface StatusPage {
  readonly problems: readonly Problem[];
  readonly isSettled: boolean;
  readonly objects: readonly StatusObject[];
  readonly leaving: readonly (Omit<LeavingView, "key"> & {
    readonly namespace: string;
    readonly name: string;
  })[];
}

interface StatusObject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly { type: string; status: string; reason: string; message: string }[];
  };
}

/** undefined when the operator does not answer within a second. */
export async function viewOperator(operatorUrl: string): Promise<OperatorView | undefined> {
  try {
    const response = await fetch(`${operatorUrl}/status`, { signal: AbortSignal.timeout(1000) });
    const { problems, objects, leaving, isSettled } = (await response.json()) as StatusPage;
    return {
      problems: problems.map(({ file, line, message }) => `${file}:${line}: ${message}`),
      objects: objects.map(viewOf),
      leaving: leaving.map(({ kind, namespace, name, isKept }) => ({
        kind,
        key: `${namespace}/${name}`,
        isKept,
      })),
      isSettled,
    };
  } catch {
    return undefined;
  }
}

/** What is known after `now`: while the operator has not looked for what is absent, nothing is gone. */
export function follow(before: OperatorView, now: OperatorView): OperatorView {
  if (now.isSettled) return now;
  const isThere = new Set([...now.objects, ...now.leaving].map(nameOf));
  const missing = <Named extends { readonly kind: string; readonly key: string }>(views: readonly Named[]) =>
    views.filter((one) => !isThere.has(nameOf(one)));
  return {
    ...now,
    objects: [...now.objects, ...missing(before.objects)],
    leaving: [...now.leaving, ...missing(before.leaving)],
  };
}

/** One line for each object that came, changed or was removed, for each problem that came, and for what is kept; may be empty. */
export function news(before: OperatorView, now: OperatorView): string[] {
  const states = new Map(before.objects.map((object) => [nameOf(object), object.state]));
  const changed = now.objects.flatMap((object) =>
    states.get(nameOf(object)) === object.state ? [] : [`${nameOf(object)}: ${object.state}`],
  );
  const isThere = new Set([...now.objects, ...now.leaving].map(nameOf));
  const wasThere = new Set([...before.objects, ...before.leaving].map(nameOf));
  const gone = [...wasThere].flatMap((name) => (isThere.has(name) ? [] : [`${name}: removed`]));
  const problems = now.problems.filter((problem) => !before.problems.includes(problem));
  const isMended = before.problems.length > 0 && now.problems.length === 0;
  const wasKept = new Set(before.leaving.filter(({ isKept }) => isKept).map(nameOf));
  const kept = now.leaving.filter((one) => !wasKept.has(nameOf(one)));
  return [
    ...problems,
    ...(isMended ? ["the YAML is valid again"] : []),
    ...changed,
    ...gone,
    ...keptLines(kept),
  ];
}

/** A line for each kind of which objects are gone and kept; may be empty. */
export function keptLines(leaving: readonly LeavingView[]): string[] {
  const kept = leaving.filter(({ isKept }) => isKept);
  return [...new Set(kept.map(({ kind }) => kind))].map((kind) => {
    const keys = kept.filter((one) => one.kind === kind).map(({ key }) => key);
    return `${kind}: not removed, they work as before: ${shortList(keys)}. So many gone at once may be a lost file: put them back, and remove at most 10, or 10 %, at a time`;
  });
}

/** `SipUser default/alice`. */
export const nameOf = ({ kind, key }: { readonly kind: string; readonly key: string }): string =>
  `${kind} ${key}`;

const shortList = (keys: readonly string[]): string =>
  keys.length <= 5
    ? keys.join(", ")
    : `${keys.slice(0, 5).join(", ")} and ${keys.length - 5} more (${keys.length} in all)`;

function viewOf({ kind, namespace, name, generation, status }: StatusObject): ObjectView {
  const object = { kind, key: `${namespace}/${name}` };
  const conditions = status?.conditions ?? [];
  const paused = conditions.find(({ type, status: is }) => type === "Paused" && is === "True");
  const said = paused ?? conditions.find(({ type }) => type === "Ready");
  if (said === undefined)
    return { ...object, state: "seen, not yet in the database", isReady: false, isPending: true };
  const isReady = said !== paused && said.status === "True";
  const state = isReady ? "Ready" : `${said.reason}: ${said.message}`;
  const isPending = said !== paused && status?.observedGeneration !== generation;
  return {
    ...object,
    state: `${state} (generation ${generation})`,
    isReady: isReady && !isPending,
    isPending,
  };
}
