/**
 * Secrets by live reads and writes. One that the operator generates has no owner reference: a restored object has a new uid, and the
 * garbage collector would take its restored password away from the phones that know it. It goes with its object by `removeGenerated`.
 */
import { isAbsence, isConflict } from "../../adapters/kube/api-error.ts";
import type { KubeClient } from "../../adapters/kube/kube-client.ts";
import { resourceTypes } from "../../adapters/kube/resource-type.ts";
import { splitKey, type ObjectKey } from "../../runtime/object.ts";
import type { Secret } from "../../runtime/source.ts";

const generatedForAnnotation = "sip.strowger.dev/generated-for";
const watchLabel = "sip.strowger.dev/watch";
const { Secret: type } = resourceTypes;

interface StoredSecret {
  readonly metadata: {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  /** base64. */
  readonly data?: Readonly<Record<string, string>>;
}

/** Undefined only where the API server says that there is none. */
export async function readSecret(client: KubeClient, key: ObjectKey): Promise<Secret | undefined> {
  const stored = await read(client, key);
  if (stored === undefined) return undefined;
  const entries = Object.entries(stored.data ?? {});
  const data = Object.fromEntries(
    entries.map(([name, value]) => [name, Buffer.from(value, "base64").toString("utf8")]),
  );
  const { resourceVersion, labels, annotations } = stored.metadata;
  const generatedFor = annotations?.[generatedForAnnotation];
  const isWatched = labels?.[watchLabel] === "true";
  return { data, resourceVersion, isWatched, ...(generatedFor === undefined ? {} : { generatedFor }) };
}

/** One that exists is left as it is. */
export async function writeGenerated(
  client: KubeClient,
  key: ObjectKey,
  stringData: Readonly<Record<string, string>>,
  generatedFor: string,
): Promise<void> {
  const metadata = {
    ...splitKey(key),
    labels: {
      "app.kubernetes.io/managed-by": "strowger-operator",
      "app.kubernetes.io/part-of": "strowger",
      [watchLabel]: "true",
    },
    annotations: { [generatedForAnnotation]: generatedFor },
  };
  const secret = { metadata, type: "Opaque", stringData };
  await client.create(type, secret, { fieldManager: "strowger-operator" }).catch((error: unknown) => {
    if (!isConflict(error)) throw error;
  });
}

/** Leaves one that was generated for another uid, or by nobody here, or that changed since it was looked at. */
export async function removeGenerated(
  client: KubeClient,
  key: ObjectKey,
  generatedFor: string,
): Promise<void> {
  const stored = await read(client, key);
  if (stored?.metadata.annotations?.[generatedForAnnotation] !== generatedFor) return;
  const { uid, resourceVersion } = stored.metadata;
  await client.delete(type, splitKey(key), { uid, resourceVersion }).catch((error: unknown) => {
    if (!isAbsence(error, type, splitKey(key).name)) throw error;
  });
}

const read = (client: KubeClient, key: ObjectKey): Promise<StoredSecret | undefined> =>
  client.get<StoredSecret>(type, splitKey(key)).catch((error: unknown) => {
    if (isAbsence(error, type, splitKey(key).name)) return undefined;
    throw error;
  });
