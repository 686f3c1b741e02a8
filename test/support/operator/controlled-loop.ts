/** A ControllerLoop with a source, rows and a clock in memory. */
import { type Controller, ControllerLoop, type Finalized } from "../../../operator/src/runtime/controller.ts";
import { type KubernetesObject, type ObjectKey, splitKey } from "../../../operator/src/runtime/object.ts";
import type { SweepPlan } from "../../../operator/src/runtime/plan-sweep.ts";
import type { Source } from "../../../operator/src/runtime/source.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** A kind whose rows are `owned`, and a source that holds `present` and proves every other key absent. */
export function given(owned: readonly ObjectKey[], present: readonly ObjectKey[], isProven = true) {
  const seen = {
    reconciled: [] as string[],
    removed: [] as string[],
    plans: [] as SweepPlan[],
    asked: [] as string[],
    released: [] as string[],
    waited: [] as number[],
  };
  const deleting = new Set<ObjectKey>();
  const finalized: Finalized[] = [];
  const objects = new Set(present);
  const rows = new Set(owned);
  const statuses = new Map<ObjectKey, object>();
  const generations = new Map<ObjectKey, number>();
  const ends: (() => void)[] = [];
  const held = { isHeld: false };
  const frees = new Set<string>();
  const concerned: ObjectKey[] = [];
  const removal: { fails?: boolean; isProven: boolean } = { isProven };
  const missed: { isComplete?: boolean; failures?: unknown[] } = {};
  const objectOf = (key: ObjectKey) => ({
    kind: "Thing",
    metadata: {
      ...splitKey(key),
      uid: key,
      generation: generations.get(key) ?? 1,
      ...(deleting.has(key) ? { deletionTimestamp: "now", finalizers: ["sip.strowger.dev/rows"] } : {}),
    },
    spec: {},
    ...(statuses.has(key) ? { status: statuses.get(key) } : {}),
  });
  const source = {
    setFinalizer: (_kind: string, key: ObjectKey, isHeld: boolean) => {
      if (!isHeld) seen.released.push(key);
      return Promise.resolve();
    },
    get: (_kind: string, key: ObjectKey) => (objects.has(key) ? objectOf(key) : undefined),
    list: () => [...objects].map(objectOf),
    existence: (_kind: string, key: ObjectKey) => {
      seen.asked.push(key);
      return Promise.resolve(
        objects.has(key)
          ? { is: "present", uid: "u" }
          : removal.isProven
            ? { is: "absent" }
            : { is: "unknown", why: "not read" },
      );
    },
  } as unknown as Source;
  const controller: Controller = {
    kind: "Thing",
    reconcile: ({ metadata }) => {
      seen.reconciled.push(metadata.name);
      const outcome = frees.has(metadata.name) ? { freesName: true } : {};
      return held.isHeld
        ? new Promise((resolve) => ends.push(() => resolve(outcome)))
        : Promise.resolve(outcome);
    },
    finalize: (_object: KubernetesObject, waited: number) => {
      seen.waited.push(waited);
      return Promise.resolve(finalized.shift() ?? { isDone: true as const });
    },
    remove: (key) => {
      if (removal.fails === true) return Promise.reject(new Error("the database is away"));
      seen.removed.push(key);
      rows.delete(key);
      return Promise.resolve();
    },
    owned: () => Promise.resolve({ keys: [...rows], isComplete: true, failures: [], ...missed }),
    dependentsOf: () => concerned,
    hasOutdatedSecret: ({ metadata }) => metadata.name === "outdated",
  };
  const nothing = () => undefined;
  const observer = {
    queue: { added: nothing, taken: nothing, finished: nothing, retried: nothing },
    reconcile: { started: nothing, finished: nothing, failed: nothing },
    removed: nothing,
    planned: (plan: SweepPlan) => seen.plans.push(plan),
  };
  const clock = new VirtualClock();
  const loop = new ControllerLoop(controller, source, observer, {
    clock,
    random: () => 1,
    seconds: () => 0,
    workers: 2,
    resyncWithin: 60_000,
  });
  return {
    loop,
    objects,
    deleting,
    finalized,
    rows,
    missed,
    statuses,
    generations,
    held,
    frees,
    ends,
    concerned,
    removal,
    clock,
    seen,
  };
}

export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 500; turn += 1) await Promise.resolve();
};

export const keys = (from: number, to: number): ObjectKey[] =>
  Array.from({ length: to - from + 1 }, (_, index): ObjectKey => `ns/u${from + index}`);
