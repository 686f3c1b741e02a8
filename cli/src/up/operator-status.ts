/** Reads the operator's page /status, and describes the changes between two reads. */
import type { Problem } from "../../../operator/src/sources/files/problem.ts";

export interface ObjectStatus {
  readonly kind: string;
  /** `default/alice`. */
  readonly key: string;
  /** `Ready (generation 2)`, `DomainNotFound: there is no ... (generation 1)`. */
  readonly state: string;
  readonly isReady: boolean;
  /** The operator has not reconciled the current generation. */
  readonly isPending: boolean;
}

/** An object that is no longer in the folder, and whose rows are still in the database. */
export interface PendingRemoval {
  readonly kind: string;
  readonly key: string;
  /** The operator does not delete its rows, because too many objects disappeared at once. */
  readonly isRetained: boolean;
}

export interface OperatorStatus {
  /** The problems of the YAML, one line each. */
  readonly problems: readonly string[];
  readonly objects: readonly ObjectStatus[];
  readonly pendingRemovals: readonly PendingRemoval[];
  /** The operator has compared the whole folder with the database, so `pendingRemovals` is complete. */
  readonly isSettled: boolean;
}

interface StatusPage {
  readonly problems: readonly Problem[];
  readonly isSettled: boolean;
  readonly objects: readonly StatusObject[];
  readonly leaving: readonly {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly isKept: boolean;
  }[];
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

/** Undefined if the operator does not answer within 1 s. */
export async function fetchOperatorStatus(operatorUrl: string): Promise<OperatorStatus | undefined> {
  try {
    const response = await fetch(`${operatorUrl}/status`, { signal: AbortSignal.timeout(1000) });
    const { problems, objects, leaving, isSettled } = (await response.json()) as StatusPage;
    return {
      problems: problems.map(({ file, line, message }) => `${file}:${line}: ${message}`),
      objects: objects.map(readObject),
      pendingRemovals: leaving.map(({ kind, namespace, name, isKept }) => ({
        kind,
        key: `${namespace}/${name}`,
        isRetained: isKept,
      })),
      isSettled,
    };
  } catch {
    return undefined;
  }
}

/** The status after `now`. Until the operator has compared the folder with the database, an object that is missing in `now` is not deleted. */
export function mergeStatus(before: OperatorStatus, now: OperatorStatus): OperatorStatus {
  if (now.isSettled) return now;
  const present = new Set([...now.objects, ...now.pendingRemovals].map(nameOf));
  const missing = <Named extends { readonly kind: string; readonly key: string }>(list: readonly Named[]) =>
    list.filter((one) => !present.has(nameOf(one)));
  return {
    ...now,
    objects: [...now.objects, ...missing(before.objects)],
    pendingRemovals: [...now.pendingRemovals, ...missing(before.pendingRemovals)],
  };
}

/** One line for each new, changed and removed object, for each new problem, and for each kind with retained objects; may be empty. */
export function describeChanges(before: OperatorStatus, now: OperatorStatus): string[] {
  const states = new Map(before.objects.map((object) => [nameOf(object), object.state]));
  const changed = now.objects.flatMap((object) =>
    states.get(nameOf(object)) === object.state ? [] : [`${nameOf(object)}: ${object.state}`],
  );
  const present = new Set([...now.objects, ...now.pendingRemovals].map(nameOf));
  const presentBefore = new Set([...before.objects, ...before.pendingRemovals].map(nameOf));
  const removed = [...presentBefore].flatMap((name) => (present.has(name) ? [] : [`${name}: removed`]));
  const problems = now.problems.filter((problem) => !before.problems.includes(problem));
  const isValidAgain = before.problems.length > 0 && now.problems.length === 0;
  const retainedBefore = new Set(before.pendingRemovals.filter(({ isRetained }) => isRetained).map(nameOf));
  const newlyRetained = now.pendingRemovals.filter((one) => !retainedBefore.has(nameOf(one)));
  return [
    ...problems,
    ...(isValidAgain ? ["the YAML is valid again"] : []),
    ...changed,
    ...removed,
    ...describeRetained(newlyRetained),
  ];
}

/** One line for each kind that has retained objects; may be empty. */
export function describeRetained(pendingRemovals: readonly PendingRemoval[]): string[] {
  const retained = pendingRemovals.filter(({ isRetained }) => isRetained);
  return [...new Set(retained.map(({ kind }) => kind))].map((kind) => {
    const keys = retained.filter((one) => one.kind === kind).map(({ key }) => key);
    return `${kind}: not removed, they still work: ${shortList(keys)}. Too many disappeared at once, perhaps because a file was lost. Restore them, then remove at most 10, or 10 %, at a time`;
  });
}

/** `SipUser default/alice`. */
export const nameOf = ({ kind, key }: { readonly kind: string; readonly key: string }): string =>
  `${kind} ${key}`;

const shortList = (keys: readonly string[]): string =>
  keys.length <= 5
    ? keys.join(", ")
    : `${keys.slice(0, 5).join(", ")} and ${keys.length - 5} more (${keys.length} in total)`;

function readObject({ kind, namespace, name, generation, status }: StatusObject): ObjectStatus {
  const object = { kind, key: `${namespace}/${name}` };
  const conditions = status?.conditions ?? [];
  const paused = conditions.find(({ type, status: is }) => type === "Paused" && is === "True");
  const condition = paused ?? conditions.find(({ type }) => type === "Ready");
  if (condition === undefined)
    return { ...object, state: "read, not yet in the database", isReady: false, isPending: true };
  const isReady = condition !== paused && condition.status === "True";
  const state = isReady ? "Ready" : `${condition.reason}: ${condition.message}`;
  const isPending = condition !== paused && status?.observedGeneration !== generation;
  return {
    ...object,
    state: `${state} (generation ${generation})`,
    isReady: isReady && !isPending,
    isPending,
  };
}
