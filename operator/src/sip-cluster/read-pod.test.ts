import { expect, test } from "vitest";
import { readPod } from "./read-pod.ts";

const pod = (status: object) =>
  readPod({
    ...{ apiVersion: "v1", kind: "Pod", metadata: { namespace: "tel", name: "pbx-1", uid: "u" } },
    status,
  });
const problem = (status: object) => pod(status).problem;
const waits = (reason: string, message?: string, lastState?: object) => ({
  containerStatuses: [{ state: { waiting: { reason, message } }, ...(lastState && { lastState }) }],
});

test("a pod that runs or starts has no problem", () => {
  const running = { phase: "Running", podIP: "10.0.0.1", conditions: [{ type: "Ready", status: "True" }] };
  expect(pod(running)).toMatchObject({ isRunning: true, isReady: true, ip: "10.0.0.1", problem: undefined });
  expect(pod({ conditions: [{ type: "Ready", status: "False" }] }).isReady).toBe(false);
  for (const reason of ["ContainerCreating", "PodInitializing"])
    expect(problem(waits(reason))).toBeUndefined();
  expect(problem({ containerStatuses: [{ state: { running: {} } }] })).toBeUndefined();
  expect(
    problem({ initContainerStatuses: [{ state: { terminated: { reason: "Completed" } } }] }),
  ).toBeUndefined();
});

test("a pod without a host has a problem with the cause, which may end by itself", () => {
  const conditions = [
    { type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/3 nodes are available" },
  ];
  expect(problem({ conditions })).toEqual({
    text: "Unschedulable: 0/3 nodes are available",
    isLasting: false,
  });
  expect(problem({ conditions: [{ type: "PodScheduled", status: "True" }] })).toBeUndefined();
});

test("an image that cannot be pulled is a lasting problem, during each attempt and between them", () => {
  expect(problem(waits("ErrImagePull", "not found"))).toEqual({
    text: "ErrImagePull: not found",
    isLasting: true,
  });
  expect(problem(waits("ImagePullBackOff", "Back-off pulling image"))).toEqual({
    text: "ImagePullBackOff: Back-off pulling image",
    isLasting: true,
  });
  expect(problem(waits("InvalidImageName"))).toEqual({ text: "InvalidImageName", isLasting: true });
});

test("the problem of an ended container is the end of its log, in one line of limited length", () => {
  const last = { terminated: { reason: "Error", message: "strowger node: mysql.hosts\n  is missing\n" } };
  expect(problem(waits("CrashLoopBackOff", "back-off 5m0s restarting", last))?.text).toBe(
    "CrashLoopBackOff: strowger node: mysql.hosts is missing",
  );
  expect(problem(waits("CrashLoopBackOff", undefined, { terminated: { reason: "OOMKilled" } }))?.text).toBe(
    "CrashLoopBackOff: OOMKilled",
  );
  const ended = {
    containerStatuses: [{ state: { terminated: { reason: "Error", message: "x".repeat(999) } } }],
  };
  expect(problem(ended)).toEqual({ text: `Error: ${"x".repeat(300)}`, isLasting: false });
});

test("a container that failed before has the same problem during its restart", () => {
  const lastState = { terminated: { reason: "Error", message: "no login" } };
  const again = (state: object, last: object = lastState) =>
    problem({ containerStatuses: [{ state, lastState: last }] });
  const lasts = { text: "Error: no login", isLasting: true };
  expect(again({ running: {} })).toEqual(lasts);
  expect(again({ terminated: { reason: "Error", message: "no login" } })).toEqual(lasts);
  expect(again({ running: {} }, { terminated: { reason: "Completed" } })).toBeUndefined();
  expect(
    problem({ containerStatuses: [{ ready: true, state: { running: {} }, lastState }] }),
  ).toBeUndefined();
});
