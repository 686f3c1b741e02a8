import { expect, test } from "vitest";
import type { Installations } from "../installations.ts";
import type { Manifest, Manifests, ManifestType } from "../runtime/manifests.ts";
import type { KubernetesObject, ObjectKey } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import { StatusWriter } from "../runtime/status-writer.ts";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";
import { SipClusterController } from "./controller.ts";
import { LiveObjects } from "./live-objects.ts";
import { makeClusterObject } from "../../../test/support/operator/cluster-fixtures.ts";
import { parseSipCluster } from "./resource.ts";

const named = (name: string): KubernetesObject => {
  const object = makeClusterObject();
  return { ...object, metadata: { ...object.metadata, name, uid: `uid-${name}` } };
};

/** Kubernetes, in which everything that is read is there. */
function kubernetes() {
  const reads: string[] = [];
  const manifests = {
    list: () => [],
    read(type: ManifestType, key: ObjectKey): Promise<Manifest> {
      reads.push(`${type.kind} ${key}`);
      const [namespace = "", name = ""] = key.split("/");
      return Promise.resolve({ ...type, metadata: { namespace, name } });
    },
  } as unknown as Manifests;
  const readSecrets = (): string[] => reads.splice(0).filter((id) => id.startsWith("Secret"));
  return { manifests, readSecrets };
}

test("a read object is cached for one minute, unless its SipCluster is gone", async () => {
  const { manifests, readSecrets } = kubernetes();
  const clock = new VirtualClock();
  const live = new LiveObjects(manifests, clock);
  const [stays, goes] = [parseSipCluster(named("stays")), parseSipCluster(named("goes"))];
  const both = async (): Promise<string[]> => {
    await live.of(stays);
    await live.of(goes);
    return readSecrets();
  };
  const [one, other] = await both();
  expect(await both()).toEqual([]);
  live.retainOnly([stays]);
  expect(await both()).toEqual([other]);
  clock.advance(60_000);
  expect(await both()).toEqual([one, other]);
});

test("a sweep drops the cached keys of deleted SipClusters", async () => {
  const { manifests, readSecrets } = kubernetes();
  const clock = new VirtualClock();
  const objects = [named("goes")];
  const source = {
    get: () => objects[0],
    list: (kind: string) => (kind === "SipCluster" ? objects : []),
    secret: () => Promise.resolve({ data: {} }),
    writeStatus: () => Promise.resolve(),
    setFinalizer: () => Promise.resolve(),
    event: () => undefined,
  } as unknown as Source;
  const installations: Installations = {
    of: () => Promise.resolve(undefined),
    open: () => [],
    unreachable: () => [],
    loginProblems: () => ({}),
  };
  const fleet = {
    manifests,
    nodeImage: "image",
    clusterRanges: ["10.0.0.0/8"],
    metricsFrom: [],
    nodePull: { policy: undefined, secrets: [] },
  };
  const status = new StatusWriter(source, clock, () => undefined);
  const controller = new SipClusterController({
    ...{ installations, source, status, clock, fleet },
    onFailure: (cause) => {
      throw cause;
    },
  });
  const round = async (): Promise<number> => {
    await controller.reconcile(named("goes")).catch(() => undefined);
    return readSecrets().length;
  };
  expect(await round()).toBe(1);
  await controller.owned();
  expect(await round()).toBe(0);
  objects.pop();
  await controller.owned();
  expect(await round()).toBe(1);
});
