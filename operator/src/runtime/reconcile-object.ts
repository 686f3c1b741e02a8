/** The steps around a kind's own decision: check for a pause, set the finalizer, apply the actions, write the status. */
import type { NewCondition } from "./condition.ts";
import type { Decision } from "./decision.ts";
import { isReadyObject } from "./is-ready-object.ts";
import { keyOf, type CommonStatus, type KubernetesObject } from "./object.ts";
import type { Outcome } from "./reconcile-loop.ts";
import type { Source } from "./source.ts";
import type { StatusWriter } from "./status-writer.ts";

export interface ReconcileDependencies {
  readonly source: Source;
  readonly status: StatusWriter;
  /**
   * The condition for a reconcile that failed. Undefined: the status stays as it is. With the status Unknown, `observedGeneration` stays,
   * because this spec was not evaluated.
   */
  readonly conditionOf: (error: unknown) => NewCondition | undefined;
}

/** A decision with the function that carries it out. */
export interface Plan extends Decision<unknown> {
  apply(): Promise<void>;
}

export const finalizer = "sip.strowger.dev/rows";
const pauseAnnotation = "sip.strowger.dev/paused";

/**
 * For a paused object nothing is written, and its rows stay as they are. There are two exceptions. A deletion continues, because an object
 * must not stay in Terminating. A permission that was withdrawn takes effect, because a user who may pause an object could evade it.
 */
export const isPaused = ({ metadata }: KubernetesObject): boolean =>
  metadata.annotations?.[pauseAnnotation] === "true";

/**
 * Runs `plan`, carries it out and writes the status once, last. A failure is written to the status and thrown again, so that the loop backs
 * off. For a paused object `revocation` runs instead of `plan`; its result is undefined where no permission was withdrawn.
 */
export async function reconcileObject(
  object: KubernetesObject,
  deps: ReconcileDependencies,
  plan: () => Promise<Plan>,
  revocation?: () => Promise<Plan | undefined>,
): Promise<Outcome> {
  if (isPaused(object)) return reconcilePaused(object, deps.status, revocation);
  const applied = await carryOut(object, deps.source, plan).catch((cause: unknown) => ({ cause }));
  if ("cause" in applied) {
    await writeFailure(object, deps, applied.cause);
    throw applied.cause;
  }
  const { conditions, status: fields, requeueAfter, actions, isExpectedChange, freesName } = applied;
  const isRepair = actions.length > 0 && isExpectedChange !== true && wasReady(object);
  await deps.status.write(object, [...conditions, ...resumed(object)], fields);
  return {
    ...(requeueAfter === undefined ? {} : { requeueAfter }),
    ...(isRepair ? { isRepair } : {}),
    ...(freesName === true ? { freesName } : {}),
  };
}

/** The condition Paused is written first, because a revocation has to wait for the database. */
async function reconcilePaused(
  object: KubernetesObject,
  status: StatusWriter,
  revocation: (() => Promise<Plan | undefined>) | undefined,
): Promise<Outcome> {
  const fields = { observedGeneration: observedGenerationOf(object) }; // this spec was not evaluated
  await status.write(object, [paused("True")], fields);
  const revoked = await revocation?.();
  if (revoked === undefined) return {};
  await revoked.apply();
  await status.write(object, [...revoked.conditions, paused("True")], fields);
  return {};
}

async function writeFailure(
  object: KubernetesObject,
  { status, conditionOf }: ReconcileDependencies,
  cause: unknown,
): Promise<void> {
  const condition = conditionOf(cause);
  if (condition === undefined) return;
  const fields = condition.status === "Unknown" ? { observedGeneration: observedGenerationOf(object) } : {};
  await status.write(object, [condition, ...resumed(object)], fields);
}

/** The finalizer is set before the first row is written, and removed after the last write. */
async function carryOut(object: KubernetesObject, source: Source, plan: () => Promise<Plan>): Promise<Plan> {
  const { namespace, name, finalizers = [] } = object.metadata;
  const key = keyOf(namespace, name);
  const decided = await plan();
  const hasFinalizer = finalizers.includes(finalizer);
  if (decided.needsFinalizer === true && !hasFinalizer) await source.setFinalizer(object.kind, key, true);
  await decided.apply();
  if (decided.needsFinalizer === false && hasFinalizer) await source.setFinalizer(object.kind, key, false);
  return decided;
}

const observedGenerationOf = ({ status }: KubernetesObject): number | undefined =>
  ((status ?? {}) as CommonStatus).observedGeneration;

/** Whether the status states Ready for this generation of the spec. */
const wasReady = (object: KubernetesObject): boolean =>
  isReadyObject(object) && observedGenerationOf(object) === object.metadata.generation;

const paused = (status: "True" | "False"): NewCondition => ({
  type: "Paused",
  status,
  reason: status === "True" ? "PausedByAnnotation" : "NotPaused",
  message:
    status === "True"
      ? `nothing is written while the annotation ${pauseAnnotation} is true, except that a withdrawn permission takes effect; the other conditions are from before the pause`
      : "changes are applied",
});

/** Paused=False is written only where the status has the condition Paused. */
function resumed({ status }: KubernetesObject): readonly NewCondition[] {
  const { conditions = [] } = (status ?? {}) as CommonStatus;
  return conditions.some(({ type }) => type === "Paused") ? [paused("False")] : [];
}
