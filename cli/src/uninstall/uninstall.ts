/**
 * What `helm uninstall` does first (design-kubernetes rule 15): the operator is stopped, so that it holds nothing back any more, and then
 * its finalizers are released. Objects stay, and so do their rows: a later operator finds both.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiObject, type ApiServer, Refused } from "../api-server/api-server.ts";
import { collectionPath, objectPath, sipKinds, type SipPlural } from "../api-server/sip-paths.ts";

export interface UninstallPlan {
  /** Of the operator. */
  readonly namespace: string;
  /** The operator's Deployment; it may be gone. */
  readonly deployment: string;
  /** Namespaces whose objects are released; empty: all. */
  readonly watched: readonly string[];
  readonly say: (line: string) => void;
}

export const finalizer = "sip.strowger.dev/rows";

/** Objects released at the same time. */
const width = 8;
/** Somebody else may change an object meanwhile; more often than this it is not tried again. */
const attempts = 5;

/** Throws where the API server refuses or cannot be asked. Safe to run again. */
export async function uninstall(api: ApiServer, plan: UninstallPlan): Promise<void> {
  await stopOperator(api, plan);
  const namespaces = plan.watched.length === 0 ? [undefined] : plan.watched;
  for (const plural of sipKinds) {
    let released = 0;
    for (const namespace of namespaces) {
      const objects = await api.list(collectionPath(plural, namespace));
      if (objects === undefined) {
        plan.say(`${plural}: the API server has no such kind`);
        break;
      }
      const held = objects.filter(isHeld);
      for (let i = 0; i < held.length; i += width)
        await Promise.all(held.slice(i, i + width).map((object) => release(api, plural, object)));
      released += held.length;
    }
    plan.say(`${plural}: finalizers of ${released} objects released`);
  }
}

/** Resolves when its last pod is gone: until then it could put a finalizer back. */
async function stopOperator(api: ApiServer, plan: UninstallPlan): Promise<void> {
  const { namespace, deployment, say } = plan;
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}/scale`;
  const scale = await api.merge<Scale>(path, { spec: { replicas: 0 } });
  if (scale === undefined) return say(`operator: there is no Deployment ${namespace}/${deployment}`);
  say("operator: scaled to 0");
  const selector = encodeURIComponent(scale.status?.selector ?? "");
  if (selector === "")
    throw new Error(`the Deployment ${deployment} has no selector: its pods cannot be told`);
  const pods = `/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`;
  for (;;) {
    const left = (await api.list<Pod>(pods)) ?? [];
    if (left.every(hasEnded)) return say("operator: its last pod is gone");
    await sleep(500);
  }
}

interface Scale extends ApiObject {
  readonly status?: { readonly selector?: string };
}

interface Pod extends ApiObject {
  readonly status?: { readonly phase?: string };
}

const hasEnded = ({ status }: Pod): boolean => status?.phase === "Succeeded" || status?.phase === "Failed";
const isHeld = ({ metadata }: ApiObject): boolean => metadata.finalizers?.includes(finalizer) ?? false;

/** With the version that was read: a finalizer that somebody else added meanwhile is not lost. */
async function release(api: ApiServer, plural: SipPlural, object: ApiObject): Promise<void> {
  const path = objectPath(plural, object.metadata.namespace ?? "", object.metadata.name);
  let current: ApiObject | undefined = object;
  for (let attempt = 1; current !== undefined && isHeld(current); attempt++) {
    const finalizers: string[] = (current.metadata.finalizers ?? []).filter((name) => name !== finalizer);
    const { resourceVersion } = current.metadata;
    try {
      await api.merge(path, { metadata: { resourceVersion, finalizers } });
      return;
    } catch (error) {
      if (!(error instanceof Refused && error.status === 409) || attempt === attempts) throw error;
      current = await api.get(path);
    }
  }
}
