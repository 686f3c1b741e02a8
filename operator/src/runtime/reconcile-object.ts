/** What the reconcile of every kind with rows does around its own decision: pause, hold back, apply, and say how it ended. */
import { isReadyObject } from "./is-ready-object.ts";
import { keyOf, type CommonStatus, type KubernetesObject } from "./object.ts";
import type { NewCondition } from "./condition.ts";
import type { Decision } from "./decision.ts";
import type { Outcome } from "./reconcile-loop.ts";
import type { Source } from "./source.ts";
import type { StatusWriter } from "./status-writer.ts";

export interface ReconcileDependencies {
  readonly source: Source;
  readonly status: StatusWriter;
  /** What a failure says about the object; undefined: nothing that is ours to say. Unknown says that this spec was not looked at. */
  readonly conditionOf: (error: unknown) => NewCondition | undefined;
}

/** A decision with the way to carry it out. */
export interface Plan extends Decision<unknown> {
  apply(): Promise<void>;
}

export const finalizer = "sip.strowger.dev/rows";
const pausedBy = "sip.strowger.dev/paused";

/**
 * Paused, nothing is written: rows stay as they are, whatever happens to them. Only deletion goes on, for an object that stays in
 * Terminating helps nobody, and what others no longer allow ends, for else whoever may pause could go on with it.
 */
export const isPaused = ({ metadata }: KubernetesObject): boolean =>
  metadata.annotations?.[pausedBy] === "true";

/**
 * Runs `plan`, carries it out and writes the status. A failure is stated and thrown on, for the loop backs off. `revocation` takes its place
 * for an object that is paused; undefined: nothing was revoked.
 */
export async function reconcileObject(
  object: KubernetesObject,
  { source, status, conditionOf }: ReconcileDependencies,
  plan: () => Promise<Plan>,
  revocation?: () => Promise<Plan | undefined>,
): Promise<Outcome> {
  if (isPaused(object)) {
    const { observedGeneration } = (object.status ?? {}) as CommonStatus; // this spec was not looked at
    await status.write(object, paused("True"), { observedGeneration }); // at once, whether there is a database or not
    const revoked = await revocation?.();
    if (revoked === undefined) return {};
    await revoked.apply();
    await status.write(object, [revoked.ready, paused("True")], { observedGeneration });
    return {};
  }
  const ended = await carryOut(object, source, plan).catch((cause: unknown) => ({ cause }));
  if ("cause" in ended) {
    const verdict = conditionOf(ended.cause);
    const { observedGeneration } = (object.status ?? {}) as CommonStatus;
    const fields = verdict?.status === "Unknown" ? { observedGeneration } : {};
    if (verdict !== undefined) await status.write(object, [verdict, ...resumed(object)], fields);
    throw ended.cause;
  }
  const { ready, status: fields, requeueAfter, actions, isExpectedChange, freesName } = ended;
  const isRepair = actions.length > 0 && isExpectedChange !== true && wasReady(object);
  await status.write(object, [ready, ...resumed(object)], fields);
  return {
    ...(requeueAfter === undefined ? {} : { requeueAfter }),
    ...(isRepair ? { isRepair } : {}),
    ...(freesName === true ? { freesName } : {}),
  };
}

/** The finalizer is there before the first row is, and goes after the last write. */
async function carryOut(object: KubernetesObject, source: Source, plan: () => Promise<Plan>): Promise<Plan> {
  const { namespace, name, finalizers = [] } = object.metadata;
  const key = keyOf(namespace, name);
  const decided = await plan();
  const isHeld = finalizers.includes(finalizer);
  if (decided.needsFinalizer === true && !isHeld) await source.setFinalizer(object.kind, key, true);
  await decided.apply();
  if (decided.needsFinalizer === false && isHeld) await source.setFinalizer(object.kind, key, false);
  return decided;
}

/** Whether the status says that all was well with this very spec. */
const wasReady = (object: KubernetesObject): boolean =>
  isReadyObject(object) && (object.status as CommonStatus).observedGeneration === object.metadata.generation;

const paused = (status: "True" | "False"): NewCondition => ({
  type: "Paused",
  status,
  reason: status === "True" ? "PausedByAnnotation" : "NotPaused",
  message:
    status === "True"
      ? `nothing is written while the annotation ${pausedBy} is true, but what is no longer allowed ends; other conditions tell how it was before`
      : "changes are followed",
});

/** Said only where the opposite was said before. */
function resumed({ status }: KubernetesObject): readonly NewCondition[] {
  const { conditions = [] } = (status ?? {}) as CommonStatus;
  return conditions.some(({ type }) => type === "Paused") ? [paused("False")] : [];
}
