/** The command-line options for the address of the API server. The default is the API server of the pod's own cluster. */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { ApiServerOptions } from "./api-server.ts";

export interface ApiServerFlags {
  readonly server?: string;
  readonly tokenFile: string;
}

const podToken = "/var/run/secrets/kubernetes.io/serviceaccount/token";

export const withApiServerOptions = (command: Command): Command =>
  command
    .option(
      "--server <url>",
      "URL of the API server, for example that of `kubectl proxy` (default: the pod's own cluster)",
    )
    .option(
      "--token-file <path>",
      "file with the bearer token; if it does not exist, none is sent",
      podToken,
    );

/** Undefined outside a pod if `--server` is not set. */
export function apiServerOptions(
  flags: ApiServerFlags,
  environment: NodeJS.ProcessEnv,
): ApiServerOptions | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  const inPod = host === undefined ? undefined : `https://${bracketed(host)}:${port ?? "443"}`;
  const url = flags.server?.replace(/\/+$/, "") ?? inPod;
  if (url === undefined) return undefined;
  return { url, tokenFile: existsSync(flags.tokenFile) ? flags.tokenFile : undefined };
}

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);
