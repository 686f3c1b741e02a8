/** Tests every SipCluster with a call: makes a temporary domain and two users, and two phones call each other. */
import type { ApiObject, ApiServer } from "../api-server/api-server.ts";
import { collectionPath } from "../api-server/sip-paths.ts";
import { CheckFailure } from "../up/check-failure.ts";
import { placeCall } from "./place-call.ts";
import { TemporaryUsers } from "./temporary-users.ts";

interface SelftestOptions {
  /** The namespaces whose SipClusters are tested; empty: all. */
  readonly namespaces: readonly string[];
  /** Time limit for each SipCluster. The time to remove the temporary objects is not included. */
  readonly timeoutSeconds: number;
  readonly print: (line: string) => void;
  readonly stop: AbortSignal;
}

interface SipCluster extends ApiObject {
  readonly spec: { readonly replicas?: number };
  readonly status?: {
    readonly addresses?: readonly {
      readonly transport: string;
      readonly host: string;
      readonly port: number;
    }[];
    readonly conditions?: readonly { readonly type: string; readonly message: string }[];
  };
}

/** True if every SipCluster passed, or if there is none. Throws if a request to the API server fails. */
export async function selftest(api: ApiServer, options: SelftestOptions): Promise<boolean> {
  const clusters = await findClusters(api, options.namespaces);
  if (clusters.length === 0) {
    options.print("PASS: there is no SipCluster yet, so there is nothing to call");
    return true;
  }
  let passed = true;
  for (const cluster of clusters) passed = (await testCluster(api, options, cluster)) && passed;
  return passed;
}

async function findClusters(api: ApiServer, namespaces: readonly string[]): Promise<readonly SipCluster[]> {
  const where = namespaces.length === 0 ? [undefined] : namespaces;
  const lists = where.map((namespace) => api.list<SipCluster>(collectionPath("sipclusters", namespace)));
  return (await Promise.all(lists))
    .flatMap((list) => list ?? [])
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

async function testCluster(api: ApiServer, options: SelftestOptions, cluster: SipCluster): Promise<boolean> {
  const { namespace = "", name } = cluster.metadata;
  const print = (line: string) => options.print(`${namespace}/${name}: ${line}`);
  const users = new TemporaryUsers(api, namespace);
  const stop = AbortSignal.any([options.stop, AbortSignal.timeout(options.timeoutSeconds * 1000)]);
  let failure: string | undefined;
  try {
    const exchange = addressOf(cluster);
    print(`phones call ${exchange.host}:${exchange.port} over UDP`);
    const [caller, callee] = await users.create(name, stop);
    print("a SipDomain and two SipUsers are Ready");
    await placeCall({ exchange, caller, callee, print, stop });
  } catch (error) {
    failure =
      stop.aborted && !(error instanceof CheckFailure) ? "stopped or timed out" : (error as Error).message;
  }
  const leftover = await users.remove().catch((error: unknown) => (error as Error).message);
  if (leftover === undefined) print("the SipDomain and the SipUsers are removed");
  failure ??= leftover ?? undefined;
  print(failure === undefined ? "PASS" : `FAIL: ${failure}`);
  return failure === undefined;
}

function addressOf({ status }: SipCluster): { readonly host: string; readonly port: number } {
  const found = status?.addresses?.find(({ transport }) => transport.toLowerCase() === "udp");
  if (found !== undefined) return found;
  const ready = status?.conditions?.find(({ type }) => type === "Ready")?.message;
  throw new CheckFailure(`it has no UDP address yet: ${ready ?? "the operator has not reconciled it"}`);
}
