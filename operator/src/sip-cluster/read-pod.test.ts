import { expect, test } from "vitest";
import { readPod } from "./read-pod.ts";

const pod = (status: object) =>
  readPod({
    ...{ apiVersion: "v1", kind: "Pod", metadata: { namespace: "tel", name: "pbx-1", uid: "u" } },
    status,
  });
const trouble = (status: object) => pod(status).trouble;
const waits = (reason: string, message?: string, lastState?: object) => ({
  containerStatuses: [{ state: { waiting: { reason, message } }, ...(lastState && { lastState }) }],
});

test("a pod that runs, or just starts, has no trouble", () => {
  const running = { phase: "Running", podIP: "10.0.0.1", conditions: [{ type: "Ready", status: "True" }] };
  expect(pod(running)).toMatchObject({ isRunning: true, isReady: true, ip: "10.0.0.1", trouble: undefined });
  expect(pod({ conditions: [{ type: "Ready", status: "False" }] }).isReady).toBe(false);
  for (const reason of ["ContainerCreating", "PodInitializing"])
    expect(trouble(waits(reason))).toBeUndefined();
  expect(trouble({ containerStatuses: [{ state: { running: {} } }] })).toBeUndefined();
  expect(
    trouble({ initContainerStatuses: [{ state: { terminated: { reason: "Completed" } } }] }),
  ).toBeUndefined();
});

test("a pod that has no host says why, and that may change by itself", () => {
  const conditions = [
    { type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/3 nodes are available" },
  ];
  expect(trouble({ conditions })).toEqual({
    text: "Unschedulable: 0/3 nodes are available",
    isLasting: false,
  });
  expect(trouble({ conditions: [{ type: "PodScheduled", status: "True" }] })).toBeUndefined();
});

test("an image that cannot be had is named as Kubernetes says it, and lasts, in each attempt and between them", () => {
  expect(trouble(waits("ErrImagePull", "not found"))).toEqual({
    text: "ErrImagePull: not found",
    isLasting: true,
  });
  expect(trouble(waits("ImagePullBackOff", "Back-off pulling image"))).toEqual({
    text: "ImagePullBackOff: Back-off pulling image",
    isLasting: true,
  });
  expect(trouble(waits("InvalidImageName"))).toEqual({ text: "InvalidImageName", isLasting: true });
});

test("a container that ended says its last words, in one line of bounded length", () => {
  const last = { terminated: { reason: "Error", message: "strowger node: mysql.hosts\n  is missing\n" } };
  expect(trouble(waits("CrashLoopBackOff", "back-off 5m0s restarting", last))?.text).toBe(
    "CrashLoopBackOff: strowger node: mysql.hosts is missing",
  );
  expect(trouble(waits("CrashLoopBackOff", undefined, { terminated: { reason: "OOMKilled" } }))?.text).toBe(
    "CrashLoopBackOff: OOMKilled",
  );
  const ended = {
    containerStatuses: [{ state: { terminated: { reason: "Error", message: "x".repeat(999) } } }],
  };
  expect(trouble(ended)).toEqual({ text: `Error: ${"x".repeat(300)}`, isLasting: false });
});

test("a container that failed before has the same trouble while it is tried again", () => {
  const lastState = { terminated: { reason: "Error", message: "no login" } };
  const again = (state: object, last: object = lastState) =>
    trouble({ containerStatuses: [{ state, lastState: last }] });
  const lasts = { text: "Error: no login", isLasting: true };
  expect(again({ running: {} })).toEqual(lasts);
  expect(again({ terminated: { reason: "Error", message: "no login" } })).toEqual(lasts);
  expect(again({ running: {} }, { terminated: { reason: "Completed" } })).toBeUndefined();
  expect(
    trouble({ containerStatuses: [{ ready: true, state: { running: {} }, lastState }] }),
  ).toBeUndefined();
});
