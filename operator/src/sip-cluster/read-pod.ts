/** A pod as decisions need it. Pure. */
import type { Manifest } from "../runtime/manifests.ts";
import type { Pod, PodTrouble } from "./current-state.ts";

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
  readonly state?: { readonly waiting?: Stop; readonly terminated?: Stop; readonly running?: object };
  readonly lastState?: { readonly terminated?: Stop };
}

interface Stop {
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
    trouble: troubleOf({ conditions: conditions ?? [], ...more }),
    annotations: metadata.annotations ?? {},
  };
}

/** What every container says while it starts. */
const starting = new Set(["ContainerCreating", "PodInitializing"]);

/**
 * Waiting for these does not help: somebody has to change something. `ErrImagePull` is each attempt between two of `ImagePullBackOff`: the
 * verdict must not change with every attempt.
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

/** Longer messages end in what is the same for everybody. */
const longest = 300;

function troubleOf(status: PodStatus): PodTrouble | undefined {
  const unscheduled = status.conditions?.find(
    ({ type, status }) => type === "PodScheduled" && status === "False",
  );
  if (unscheduled !== undefined) return trouble(unscheduled, unscheduled.message);
  for (const { ready, state, lastState } of [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
  ]) {
    const { waiting, terminated } = state ?? {};
    // With the policy FallbackToLogsOnError the message is the end of the log: the node's own last words.
    const words = terminated?.message ?? lastState?.terminated?.message;
    if (waiting?.reason !== undefined && !starting.has(waiting.reason))
      return trouble(waiting, words ?? waiting.message ?? lastState?.terminated?.reason);
    // One that failed before is tried again between two of `CrashLoopBackOff`.
    const failed = lastState?.terminated?.reason === "Completed" ? undefined : lastState?.terminated;
    const isAgain = state?.running !== undefined && ready !== true;
    const ended = terminated ?? (isAgain ? failed : undefined);
    if (ended !== undefined && ended.reason !== "Completed")
      return { ...trouble(ended, words), ...(failed === undefined ? {} : { isLasting: true }) };
  }
  return undefined;
}

function trouble({ reason = "Failed" }: Stop, words: string | undefined): PodTrouble {
  const says = (words ?? "").replace(/\s+/g, " ").trim();
  return {
    text: says === "" ? reason : `${reason}: ${says.slice(0, longest)}`,
    isLasting: lasting.has(reason),
  };
}
