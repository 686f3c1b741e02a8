/** A pod as decisions need it. Pure. */
import type { Manifest } from "../runtime/manifests.ts";
import type { Pod, PodTrouble } from "./world.ts";

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
  readonly state?: { readonly waiting?: Stop; readonly terminated?: Stop };
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

/** Waiting for these does not help: somebody has to change something. */
const lasting = new Set([
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
  for (const { state, lastState } of [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
  ]) {
    const { waiting, terminated } = state ?? {};
    // With the policy FallbackToLogsOnError the message is the end of the log: the node's own last words.
    const words = terminated?.message ?? lastState?.terminated?.message;
    if (waiting?.reason !== undefined && !starting.has(waiting.reason))
      return trouble(waiting, words ?? waiting.message ?? lastState?.terminated?.reason);
    if (terminated !== undefined && terminated.reason !== "Completed") return trouble(terminated, words);
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
