/** Calls through every SipCluster that the API server shows: a temporary domain, two users, two phones. */
import type { ApiObject, ApiServer } from "../api-server/api-server.ts";
import { collectionPath } from "../api-server/sip-paths.ts";
import { Failure } from "./failure.ts";
import { placeCall } from "./place-call.ts";
import { TemporaryUsers } from "./temporary-users.ts";

export interface SelftestPlan {
  /** Namespaces to look for SipClusters in; empty: all. */
  readonly namespaces: readonly string[];
  /** For each SipCluster; what it leaves behind is removed after that. */
  readonly timeoutSeconds: number;
  readonly say: (line: string) => void;
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

/** True where every exchange passed, or where there is none. Throws where the API server refuses or cannot be asked. */
export async function selftest(api: ApiServer, plan: SelftestPlan): Promise<boolean> {
  const clusters = await findClusters(api, plan.namespaces);
  if (clusters.length === 0) {
    plan.say("PASS: there is no SipCluster yet, so there is nothing to call");
    return true;
  }
  let passed = true;
  for (const cluster of clusters) passed = (await testCluster(api, plan, cluster)) && passed;
  return passed;
}

async function findClusters(api: ApiServer, namespaces: readonly string[]): Promise<readonly SipCluster[]> {
  const where = namespaces.length === 0 ? [undefined] : namespaces;
  const lists = where.map((namespace) => api.list<SipCluster>(collectionPath("sipclusters", namespace)));
  return (await Promise.all(lists))
    .flatMap((list) => list ?? [])
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

async function testCluster(api: ApiServer, plan: SelftestPlan, cluster: SipCluster): Promise<boolean> {
  const { namespace = "", name } = cluster.metadata;
  const say = (line: string) => plan.say(`${namespace}/${name}: ${line}`);
  const users = new TemporaryUsers(api, namespace);
  const stop = AbortSignal.any([plan.stop, AbortSignal.timeout(plan.timeoutSeconds * 1000)]);
  let failure: string | undefined;
  try {
    const exchange = addressOf(cluster);
    say(`phones call ${exchange.host}:${exchange.port} over UDP`);
    const [caller, callee] = await users.make(name, stop);
    say("a SipDomain and two SipUsers are Ready");
    await placeCall({ exchange, caller, callee, say, stop });
  } catch (error) {
    failure = stop.aborted && !(error instanceof Failure) ? "given up" : (error as Error).message;
  }
  const leftover = await users.remove().catch((error: unknown) => (error as Error).message);
  if (leftover === undefined) say("the SipDomain and the SipUsers are removed");
  failure ??= leftover ?? undefined;
  say(failure === undefined ? "PASS" : `FAIL: ${failure}`);
  return failure === undefined;
}

function addressOf({ status }: SipCluster): { readonly host: string; readonly port: number } {
  const found = status?.addresses?.find(({ transport }) => transport.toLowerCase() === "udp");
  if (found !== undefined) return found;
  const ready = status?.conditions?.find(({ type }) => type === "Ready")?.message;
  throw new Failure(`it has no UDP address yet: ${ready ?? "the operator has not looked at it"}`);
}
