/**
 * Reads and writes Secrets without a cache. A generated Secret has no owner reference: an object that is restored from a backup has a new
 * uid, so the garbage collector would delete its restored password, which the phones use. `removeGenerated` deletes the Secret with its
 * object.
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

/** Undefined only if the API server answers that the Secret does not exist. `seen`: the version that a watch has reported, if any. */
export async function readSecret(
  client: KubeClient,
  key: ObjectKey,
  seen: string | undefined,
): Promise<Secret | undefined> {
  const stored = await read(client, key, seen);
  return stored && secretOf(stored);
}

function secretOf({ data = {}, metadata }: StoredSecret): Secret {
  const { resourceVersion, labels, annotations } = metadata;
  const generatedFor = annotations?.[generatedForAnnotation];
  return {
    data: Object.fromEntries(
      Object.entries(data).map(([name, value]) => [name, Buffer.from(value, "base64").toString("utf8")]),
    ),
    resourceVersion,
    isWatched: labels?.[watchLabel] === "true",
    ...(generatedFor === undefined ? {} : { generatedFor }),
  };
}

/** Returns the created Secret, or an existing one, which is not changed. */
export async function writeGenerated(
  client: KubeClient,
  key: ObjectKey,
  stringData: Readonly<Record<string, string>>,
  generatedFor: string,
): Promise<Secret | undefined> {
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
  const options = { fieldManager: "strowger-operator" };
  const stored = await client.create<StoredSecret>(type, secret, options).catch((error: unknown) => {
    if (!isConflict(error)) throw error;
    return read(client, key);
  });
  return stored && secretOf(stored);
}

/** Does not delete a Secret that was generated for another uid, was not generated, or changed since it was read. */
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

const read = (client: KubeClient, key: ObjectKey, notOlderThan?: string): Promise<StoredSecret | undefined> =>
  client.get<StoredSecret>(type, splitKey(key), { notOlderThan }).catch((error: unknown) => {
    if (isAbsence(error, type, splitKey(key).name)) return undefined;
    throw error;
  });
