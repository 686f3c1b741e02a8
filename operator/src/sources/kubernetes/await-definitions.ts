/** Waits until the API server serves SipCluster, SipDomain and SipUser with all fields that this operator reads and writes. */
import { ApiRefused } from "../../adapters/kube/api-error.ts";
import type { KubeClient } from "../../adapters/kube/kube-client.ts";
import type { Clock } from "../../runtime/clock.ts";
import { readDefinitions } from "../definitions.ts";
import { findDefinitionGaps, describeGaps, type ServedApi } from "./definition-gaps.ts";

const retryDelayMs = 2_000;

/**
 * Reads `/openapi/v3`, which every client may read, so no permission for CustomResourceDefinitions is needed. Calls `onWaiting` with the
 * reason when it changes. Resolves early if `isStopped()` is true.
 */
export async function awaitDefinitions(
  client: KubeClient,
  clock: Clock,
  onWaiting: (reason: string) => void,
  isStopped: () => boolean,
): Promise<void> {
  const definitions = readDefinitions();
  const path = `/openapi/v3/apis/${definitions[0]?.apiVersion ?? ""}`;
  let reportedReason = "";
  while (!isStopped()) {
    const obstacle = await readServed(client, path).then(
      (served) => {
        const gaps = findDefinitionGaps(definitions, served);
        return gaps.length === 0 ? undefined : describeGaps(gaps);
      },
      (error: Error) => error.message,
    );
    if (obstacle === undefined) return;
    if (obstacle !== reportedReason) onWaiting((reportedReason = obstacle));
    await new Promise<void>((resolve) => clock.after(retryDelayMs, resolve));
  }
}

const readServed = (client: KubeClient, path: string): Promise<ServedApi | undefined> =>
  client.read<ServedApi>(path).catch((error: unknown) => {
    if (error instanceof ApiRefused && error.status === 404) return undefined;
    throw error;
  });
