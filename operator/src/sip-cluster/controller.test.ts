/** What is remembered of a SipCluster from one reconcile to the next. Its parts are tested beside them, the whole in test/parts/fleet/. */
import { expect, test } from "vitest";
import type { Installation } from "../adapters/mysql/installation.ts";
import type { Installations } from "../installations.ts";
import type { Manifest, Manifests } from "../runtime/manifests.ts";
import type { Source } from "../runtime/source.ts";
import { StatusWriter } from "../runtime/status-writer.ts";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";
import { SipClusterController } from "./controller.ts";
import { makeClusterObject } from "../../../test/support/operator/cluster-fixtures.ts";

test("the number of bindings is in the status every 30 s, also with other reconciles in between", async () => {
  const clock = new VirtualClock();
  const object = makeClusterObject({ spec: { advertise: { udp: { host: "192.0.2.1", port: 5060 } } } });
  const rows = (sql: string) => {
    if (sql.includes("cluster_name")) return [{ namespace: "tel", name: "pbx", uid: "u1" }];
    return sql.includes("leader_beat_at") ? [{ leader: "", age: 0, beats: 1 }] : [];
  };
  const database = { rows: (sql: string) => Promise.resolve(rows(sql)) };
  const installations: Installations = {
    of: () => Promise.resolve({ id: "i", epoch: undefined, database } as unknown as Installation),
    open: () => [],
    unreachable: () => [],
    loginProblems: () => ({}),
  };
  const written: { readonly registrations?: number }[] = [];
  const source = {
    get: () => ({ ...object, status: written.at(-1) }),
    list: () => [],
    secret: () => Promise.resolve({ data: {} }),
    setFinalizer: () => Promise.resolve(),
    event: () => undefined,
    writeStatus: (_kind: string, _key: string, status: object) => Promise.resolve(void written.push(status)),
  } as unknown as Source;
  const manifests = {
    list: () => [],
    read: () => Promise.resolve(undefined),
    apply: (manifest: Manifest) => Promise.resolve(manifest),
    create: () => Promise.resolve(),
  } as unknown as Manifests;
  let bindings = 7;
  const controller = new SipClusterController({
    ...{ installations, source, clock, status: new StatusWriter(source, clock, () => undefined) },
    fleet: {
      ...{ manifests, nodeImage: "image", clusterRanges: ["10.0.0.0/8"], metricsFrom: [] },
      nodePull: { policy: undefined, secrets: [] },
    },
    bindings: () => bindings,
    onFailure: () => undefined,
  });
  const observed = async (): Promise<number | undefined> => {
    await controller.reconcile({ ...object, status: written.at(-1) });
    return written.at(-1)?.registrations;
  };
  expect(await observed()).toBe(7);
  bindings = 8;
  clock.advance(29_999);
  expect(await observed()).toBe(7);
  clock.advance(1);
  expect(await observed()).toBe(8);
});
