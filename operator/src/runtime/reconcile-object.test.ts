import { expect, test } from "vitest";
import { notReady, ready } from "./decision.ts";
import type { KubernetesObject } from "./object.ts";
import { finalizer, isPaused, reconcileObject, type Plan } from "./reconcile-object.ts";
import type { Source } from "./source.ts";
import { StatusWriter } from "./status-writer.ts";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";

interface Written {
  readonly observedGeneration?: number;
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
}

/** One object of generation 2, and everything that happens to it, in order. */
function given(more: object = {}, status?: object) {
  const done: string[] = [];
  const statuses: Written[] = [];
  const object: KubernetesObject = {
    kind: "Thing",
    metadata: { namespace: "ns", name: "a", uid: "u", generation: 2, ...more },
    spec: {},
    ...(status === undefined ? {} : { status }),
  };
  const source = {
    get: () => object,
    event: () => undefined,
    setFinalizer: (_kind: string, _key: string, isHeld: boolean) => {
      done.push(isHeld ? "hold" : "release");
      return Promise.resolve();
    },
    writeStatus: (_kind: string, _key: string, written: Written) => {
      done.push("status");
      statuses.push(written);
      return Promise.resolve();
    },
  } as unknown as Source;
  const writer = new StatusWriter(source, new VirtualClock(), () => undefined);
  const dependencies = (conditionOf: (error: unknown) => ReturnType<typeof notReady> | undefined) => ({
    source,
    status: writer,
    conditionOf,
  });
  const plan = (decided: Partial<Plan> = {}): Plan => ({
    actions: [],
    conditions: [ready("all is well")],
    status: {},
    apply: () => (done.push("apply"), Promise.resolve()),
    ...decided,
  });
  return { object, done, statuses, dependencies, plan };
}

const held = { finalizers: ["other/one", finalizer] };
const nothing = (): undefined => undefined;

test.each([
  ["is to be held and is not", {}, true, ["hold", "apply", "status"]],
  ["is to be held and is", held, true, ["apply", "status"]],
  ["is not to be held and is", held, false, ["apply", "release", "status"]],
  ["is not to be held and is not", { finalizers: ["other/one"] }, false, ["apply", "status"]],
  ["stays as it is, held", held, undefined, ["apply", "status"]],
  ["stays as it is, not held", {}, undefined, ["apply", "status"]],
] as const)("the finalizer of an object that %s", async (_what, more, needsFinalizer, order) => {
  const { object, done, dependencies, plan } = given(more);
  const decided = needsFinalizer === undefined ? plan() : plan({ needsFinalizer });
  await reconcileObject(object, dependencies(nothing), () => Promise.resolve(decided));
  expect(done).toEqual(order);
});

test("a failed write removes no finalizer, is in the status and is thrown again", async () => {
  const { object, done, statuses, dependencies, plan } = given(held);
  const failing = plan({ needsFinalizer: false, apply: () => Promise.reject(new Error("away")) });
  const conditionOf = () => notReady("Refused", "it failed");
  await expect(
    reconcileObject(object, dependencies(conditionOf), () => Promise.resolve(failing)),
  ).rejects.toThrow("away");
  expect(done).toEqual(["status"]);
  expect(statuses[0]).toMatchObject({ observedGeneration: 2, conditions: [{ reason: "Refused" }] });
});

test("a failure without a condition writes nothing; a condition with the status Unknown keeps observedGeneration", async () => {
  const before = { observedGeneration: 1, conditions: [] };
  const { object, done, statuses, dependencies } = given({}, before);
  const failing = () => Promise.reject(new Error("away"));
  await expect(reconcileObject(object, dependencies(nothing), failing)).rejects.toThrow("away");
  expect(done).toEqual([]);
  const unknown = () => ({ ...notReady("Stale", "old"), status: "Unknown" as const });
  await expect(reconcileObject(object, dependencies(unknown), failing)).rejects.toThrow("away");
  expect(statuses).toMatchObject([{ observedGeneration: 1, conditions: [{ status: "Unknown" }] }]);
});

const readyAt = (observedGeneration: number): object => ({
  observedGeneration,
  conditions: [{ type: "Ready", status: "True", reason: "Reconciled", message: "all is well" }],
});

test.each([
  ["rows that were right for this spec", readyAt(2), { actions: ["put right"] }, { isRepair: true }],
  ["nothing", readyAt(2), { actions: [] }, {}],
  ["what was asked for", readyAt(2), { actions: ["rotate"], isExpectedChange: true }, {}],
  ["rows of another spec", readyAt(1), { actions: ["write"] }, {}],
  ["rows that never were", undefined, { actions: ["write"] }, {}],
  [
    "a name that is free now",
    readyAt(2),
    { actions: ["release"], isExpectedChange: true, freesName: true },
    { freesName: true },
  ],
  ["what is looked at again", readyAt(2), { requeueAfter: 7 }, { requeueAfter: 7 }],
] as const)("the outcome of putting right %s", async (_what, status, decided, outcome) => {
  const { object, dependencies, plan } = given({}, status);
  expect(await reconcileObject(object, dependencies(nothing), () => Promise.resolve(plan(decided)))).toEqual(
    outcome,
  );
});

const pause = { annotations: { "sip.strowger.dev/paused": "true" } };

test("a pause: nothing is planned, and a withdrawn permission takes effect nevertheless", async () => {
  const { object, done, statuses, dependencies, plan } = given(pause, readyAt(1));
  expect(isPaused(object)).toBe(true);
  const never = () => Promise.reject(new Error("was planned"));
  expect(await reconcileObject(object, dependencies(nothing), never)).toEqual({});
  expect(done).toEqual(["status"]);
  expect(statuses.at(-1)).toMatchObject({ observedGeneration: 1 });
  const revoked = plan({ conditions: [notReady("NotAllowed", "no")] });
  await reconcileObject(object, dependencies(nothing), never, () => Promise.resolve(revoked));
  expect(done.slice(1)).toEqual(["apply", "status"]);
  expect(statuses.at(-1)?.conditions.map(({ type, status }) => `${type} ${status}`)).toEqual([
    "Ready False",
    "Paused True",
  ]);
});

test("the end of a pause is in the status only after a pause", async () => {
  const was = {
    observedGeneration: 2,
    conditions: [{ type: "Paused", status: "True", reason: "x", message: "" }],
  };
  const after = given({}, was);
  await reconcileObject(after.object, after.dependencies(nothing), () => Promise.resolve(after.plan()));
  expect(after.statuses.at(-1)?.conditions).toMatchObject([
    { type: "Paused", status: "False" },
    { type: "Ready" },
  ]);
  const never = given({ annotations: { "sip.strowger.dev/paused": "false" } });
  await reconcileObject(never.object, never.dependencies(nothing), () => Promise.resolve(never.plan()));
  expect(never.statuses.at(-1)?.conditions).toMatchObject([{ type: "Ready" }]);
});
