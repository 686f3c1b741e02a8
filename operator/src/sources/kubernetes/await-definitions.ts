/** Waits until the API server serves every kind of ours with every field that this operator reads and writes. */
import { ApiRefused } from "../../adapters/kube/api-error.ts";
import type { KubeClient } from "../../adapters/kube/kube-client.ts";
import type { Clock } from "../../runtime/clock.ts";
import { readDefinitions } from "../definitions.ts";
import { definitionGaps, describeGaps, type ServedApi } from "./definition-gaps.ts";

const askAgainAfter = 2_000;

/**
 * Asks what everybody may read (`/openapi/v3`), so that no permission for CustomResourceDefinitions is needed. `waits` hears why, whenever
 * that is another reason than before. Resolves early once `isStopped`.
 */
export async function awaitDefinitions(
  client: KubeClient,
  clock: Clock,
  waits: (why: string) => void,
  isStopped: () => boolean,
): Promise<void> {
  const definitions = readDefinitions();
  const path = `/openapi/v3/apis/${definitions[0]?.apiVersion ?? ""}`;
  let told = "";
  while (!isStopped()) {
    const obstacle = await readServed(client, path).then(
      (served) => {
        const gaps = definitionGaps(definitions, served);
        return gaps.length === 0 ? undefined : describeGaps(gaps);
      },
      (error: Error) => error.message,
    );
    if (obstacle === undefined) return;
    if (obstacle !== told) waits((told = obstacle));
    await new Promise<void>((resolve) => clock.after(askAgainAfter, resolve));
  }
}

const readServed = (client: KubeClient, path: string): Promise<ServedApi | undefined> =>
  client.read<ServedApi>(path).catch((error: unknown) => {
    if (error instanceof ApiRefused && error.status === 404) return undefined;
    throw error;
  });
