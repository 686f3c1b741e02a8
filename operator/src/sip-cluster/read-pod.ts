/** A pod as decisions need it. Pure. */
import type { Manifest } from "../runtime/manifests.ts";
import type { Pod } from "./world.ts";

export function readPod({ metadata, status }: Manifest): Pod {
  const { phase, podIP, conditions } = (status ?? {}) as {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
  return {
    name: metadata.name,
    uid: metadata.uid ?? "",
    ip: podIP,
    isRunning: phase === "Running",
    isReady: conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false,
    isTerminating: metadata.deletionTimestamp !== undefined,
    annotations: metadata.annotations ?? {},
  };
}
