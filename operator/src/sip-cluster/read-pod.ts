/** Reads the state of a pod that decisions use. Pure. */
import type { Manifest } from "../runtime/manifests.ts";
import type { Pod, PodProblem } from "./current-state.ts";

interface PodStatus {
  readonly phase?: string;
  readonly podIP?: string;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
  }[];
  readonly initContainerStatuses?: readonly ContainerStatus[];
  readonly containerStatuses?: readonly ContainerStatus[];
}

interface ContainerStatus {
  readonly ready?: boolean;
  readonly state?: {
    readonly waiting?: ContainerStop;
    readonly terminated?: ContainerStop;
    readonly running?: object;
  };
  readonly lastState?: { readonly terminated?: ContainerStop };
}

interface ContainerStop {
  readonly reason?: string;
  readonly message?: string;
}

export function readPod({ metadata, status }: Manifest): Pod {
  const { phase, podIP, conditions, ...more } = (status ?? {}) as PodStatus;
  return {
    name: metadata.name,
    uid: metadata.uid ?? "",
    ip: podIP,
    isRunning: phase === "Running",
    isReady: conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false,
    isTerminating: metadata.deletionTimestamp !== undefined,
    problem: problemOf({ conditions: conditions ?? [], ...more }),
    annotations: metadata.annotations ?? {},
  };
}

/** Normal reasons of a container that starts. */
const starting = new Set(["ContainerCreating", "PodInitializing"]);

/**
 * These do not end by themselves. `ErrImagePull` is listed because it alternates with `ImagePullBackOff`: the condition must not change with
 * every attempt.
 */
const lasting = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
  "CrashLoopBackOff",
]);

/** The end of a longer message does not help to find the cause. */
const longest = 300;

function problemOf(status: PodStatus): PodProblem | undefined {
  const unscheduled = status.conditions?.find(
    ({ type, status }) => type === "PodScheduled" && status === "False",
  );
  if (unscheduled !== undefined) return buildProblem(unscheduled, unscheduled.message);
  for (const { ready, state, lastState } of [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
  ]) {
    const { waiting, terminated } = state ?? {};
    // With the policy FallbackToLogsOnError the message is the end of the node's log.
    const message = terminated?.message ?? lastState?.terminated?.message;
    if (waiting?.reason !== undefined && !starting.has(waiting.reason))
      return buildProblem(waiting, message ?? waiting.message ?? lastState?.terminated?.reason);
    // A container that failed before runs again for a short time between two `CrashLoopBackOff`.
    const failed = lastState?.terminated?.reason === "Completed" ? undefined : lastState?.terminated;
    const isRestarted = state?.running !== undefined && ready !== true;
    const ended = terminated ?? (isRestarted ? failed : undefined);
    if (ended !== undefined && ended.reason !== "Completed")
      return { ...buildProblem(ended, message), ...(failed === undefined ? {} : { isLasting: true }) };
  }
  return undefined;
}

function buildProblem({ reason = "Failed" }: ContainerStop, message: string | undefined): PodProblem {
  const text = (message ?? "").replace(/\s+/g, " ").trim();
  return {
    text: text === "" ? reason : `${reason}: ${text.slice(0, longest)}`,
    isLasting: lasting.has(reason),
  };
}
