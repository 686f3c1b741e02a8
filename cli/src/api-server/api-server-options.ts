/** The options that say where the API server is; by default where a pod finds it. */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { ApiServerPlan } from "./api-server.ts";

export interface ApiServerFlags {
  readonly server?: string;
  readonly tokenFile: string;
}

const podToken = "/var/run/secrets/kubernetes.io/serviceaccount/token";

export const withApiServerOptions = (command: Command): Command =>
  command
    .option(
      "--server <url>",
      "the API server, such as what `kubectl proxy` listens on (default: the pod's own cluster)",
    )
    .option("--token-file <path>", "the token to show it; absent: none is shown", podToken);

/** Undefined outside a pod without `--server`. */
export function apiServerPlan(
  flags: ApiServerFlags,
  environment: NodeJS.ProcessEnv,
): ApiServerPlan | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  const inPod = host === undefined ? undefined : `https://${bracketed(host)}:${port ?? "443"}`;
  const url = flags.server?.replace(/\/+$/, "") ?? inPod;
  if (url === undefined) return undefined;
  return { url, tokenFile: existsSync(flags.tokenFile) ? flags.tokenFile : undefined };
}

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);
