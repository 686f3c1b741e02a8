/**
 * The first step of `helm uninstall`: stops the operator, so that it adds no finalizer any more, and then removes its finalizers. The
 * objects and their rows stay, for an operator that is installed later.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiObject, type ApiServer, ApiServerError } from "../api-server/api-server.ts";
import { collectionPath, objectPath, sipKinds, type SipPlural } from "../api-server/sip-paths.ts";

interface UninstallOptions {
  /** The operator's namespace. */
  readonly namespace: string;
  /** The operator's Deployment; it may not exist. */
  readonly deployment: string;
  /** The namespaces whose objects lose the finalizer; empty: all. */
  readonly watched: readonly string[];
  readonly print: (line: string) => void;
}

export const finalizer = "sip.strowger.dev/rows";

/** The number of objects that are changed at the same time. */
const concurrency = 8;
/** The number of attempts for an object that another client changes at the same time. */
const attempts = 5;

/** Throws if a request to the API server fails. Safe to run again. */
export async function uninstall(api: ApiServer, options: UninstallOptions): Promise<void> {
  await stopOperator(api, options);
  const namespaces = options.watched.length === 0 ? [undefined] : options.watched;
  for (const plural of sipKinds) {
    let removed = 0;
    for (const namespace of namespaces) {
      const objects = await api.list(collectionPath(plural, namespace));
      if (objects === undefined) {
        options.print(`${plural}: the API server does not serve this kind`);
        break;
      }
      const withFinalizer = objects.filter(hasFinalizer);
      for (let i = 0; i < withFinalizer.length; i += concurrency)
        await Promise.all(
          withFinalizer.slice(i, i + concurrency).map((object) => removeFinalizer(api, plural, object)),
        );
      removed += withFinalizer.length;
    }
    options.print(`${plural}: finalizer of ${removed} objects removed`);
  }
}

/** Resolves when its last pod has ended: until then it could add a finalizer again. */
async function stopOperator(api: ApiServer, options: UninstallOptions): Promise<void> {
  const { namespace, deployment, print } = options;
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}/scale`;
  const scale = await api.mergePatch<Scale>(path, { spec: { replicas: 0 } });
  if (scale === undefined) return print(`operator: there is no Deployment ${namespace}/${deployment}`);
  print("operator: scaled to 0");
  const selector = encodeURIComponent(scale.status?.selector ?? "");
  if (selector === "")
    throw new Error(`the Deployment ${deployment} has no selector, so its pods cannot be found`);
  const pods = `/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`;
  for (;;) {
    const left = (await api.list<Pod>(pods)) ?? [];
    if (left.every(hasEnded)) return print("operator: the last pod has ended");
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
const hasFinalizer = ({ metadata }: ApiObject): boolean => metadata.finalizers?.includes(finalizer) ?? false;

/** The patch has the version that was read, so that a finalizer which another client added since then is not lost. */
async function removeFinalizer(api: ApiServer, plural: SipPlural, object: ApiObject): Promise<void> {
  const path = objectPath(plural, object.metadata.namespace ?? "", object.metadata.name);
  let current: ApiObject | undefined = object;
  for (let attempt = 1; current !== undefined && hasFinalizer(current); attempt++) {
    const finalizers: string[] = (current.metadata.finalizers ?? []).filter((name) => name !== finalizer);
    const { resourceVersion } = current.metadata;
    try {
      await api.mergePatch(path, { metadata: { resourceVersion, finalizers } });
      return;
    } catch (error) {
      if (!(error instanceof ApiServerError && error.status === 409) || attempt === attempts) throw error;
      current = await api.get(path);
    }
  }
}
