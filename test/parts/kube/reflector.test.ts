/** The reflector on a real API server: pages, bookmarks, a stalled connection, an outage of the API server, and compacted versions. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeClient } from "../../../operator/src/adapters/kube/kube-client.ts";
import { resourceTypes } from "../../../operator/src/adapters/kube/resource-type.ts";
import { systemClock } from "../../../operator/src/runtime/clock.ts";
import type { Identified, StoreChange } from "../../../operator/src/runtime/reflected-store.ts";
import type { WatchEvent } from "../../../operator/src/runtime/reflector.ts";
import { ReflectedType } from "../../../operator/src/sources/kubernetes/reflected-type.ts";
import { startRelayedApiServer, type RelayedApiServer } from "./relayed-api-server.ts";

const { ConfigMap } = resourceTypes;
const pollOptions = { timeout: 60_000, interval: 100 };

describe("reflector", () => {
  let relayed: RelayedApiServer;
  let client: KubeClient;

  beforeAll(async () => {
    relayed = await startRelayedApiServer();
    client = relayed.client();
  });

  afterAll(() => relayed?.[Symbol.asyncDispose]());

  const create = (name: string, set: string) =>
    client.create<Identified>(ConfigMap, configMap(name, set), { fieldManager: "test" });

  const remove = async (name: string): Promise<void> => {
    const { metadata } = await client.get<Identified>(ConfigMap, { namespace: "default", name });
    await client.delete(ConfigMap, { namespace: "default", name }, { uid: metadata.uid ?? "" });
  };

  /** Collects the changes of the ConfigMaps with this label, as `added name`. */
  function reflect(set: string, longestSilence = 150_000) {
    const seen = { changes: [] as string[], lists: 0, failures: [] as string[] };
    const observer = {
      changed: (change: StoreChange<Identified>) => seen.changes.push(describeChange(change)),
      listed: () => (seen.lists += 1),
      failed: (cause: unknown) => seen.failures.push((cause as Error).message),
      handlerFailed: (cause: unknown) => seen.failures.push(String(cause)),
    };
    const query = { namespaces: undefined, labelSelector: `set=${set}` };
    const options = { clock: systemClock, random: Math.random, longestSilence };
    const own = relayed.client({ requestTimeoutMs: Math.min(15_000, longestSilence / 2) });
    const reflected = new ReflectedType<Identified>(own, ConfigMap, query, observer, options);
    reflected.start();
    return { reflected, seen, [Symbol.dispose]: () => reflected.stop() };
  }

  it("lists 2,000 objects in pages, and is notified of the next one", async () => {
    const names = Array.from({ length: 2_000 }, (_, index) => `paged-${index}`);
    for (let at = 0; at < names.length; at += 20)
      await Promise.all(names.slice(at, at + 20).map((name) => create(name, "paged")));
    using reflection = reflect("paged");
    await expect.poll(() => reflection.reflected.isSynced, pollOptions).toBe(true);
    expect(reflection.reflected.list()).toHaveLength(2_000);
    expect(reflection.seen).toMatchObject({ lists: 1, failures: [] });
    await create("paged-last", "paged");
    await expect.poll(() => reflection.seen.changes.at(-1), pollOptions).toBe("added paged-last");
  });

  it("a watch receives bookmarks, and ends without an error after its timeout", async () => {
    const types: string[] = [];
    const { resourceVersion } = await client.list(ConfigMap, undefined, { labelSelector: "set=nobody" });
    const handlers = {
      opened(): void {
        types.push("opened");
        // A bookmark is sent only if its version is newer than the last one of the watch.
        void create("of-another-set", "somebody");
      },
      on: ({ type }: WatchEvent<unknown>) => types.push(type),
    };
    const query = { labelSelector: "set=nobody", from: resourceVersion, timeoutSeconds: 5 };
    await client.watch(ConfigMap, undefined, query, handlers, new AbortController().signal);
    expect([...new Set(types)]).toEqual(["opened", "BOOKMARK"]);
  });

  it("an object that was deleted and created again is reported as replaced", async () => {
    await create("anew", "anew");
    using reflection = reflect("anew");
    await expect.poll(() => reflection.seen.changes, pollOptions).toEqual(["added anew"]);
    relayed.proxy.refuse();
    const direct = relayed.server;
    await direct.kubectl(["delete", "configmap", "anew"]);
    await direct.apply(JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", ...configMap("anew", "anew") }));
    relayed.proxy.resume();
    await expect.poll(() => reflection.seen.changes.slice(1), pollOptions).not.toEqual([]);
    // An open watch reports both changes; a list reports one.
    expect(["removed anew,added anew", "replaced anew"]).toContain(reflection.seen.changes.slice(1).join());
  });

  it("a stalled watch is started again, and the changes since then are reported", async () => {
    using reflection = reflect("stalled", 2_000);
    await expect.poll(() => reflection.reflected.isSynced, pollOptions).toBe(true);
    relayed.proxy.stall();
    await relayed.server.apply(
      JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", ...configMap("unheard", "stalled") }),
    );
    await expect
      .poll(() => reflection.seen.failures, pollOptions)
      .toContain("watch of ConfigMap all: no answer within 1000 ms");
    relayed.proxy.resumeNewConnections();
    await expect.poll(() => reflection.seen.changes, pollOptions).toEqual(["added unheard"]);
    relayed.proxy.resume();
  });

  it("continues after an outage of the API server; after a compaction it lists again", async () => {
    for (const name of ["stays", "goes"]) await create(name, "away");
    using reflection = reflect("away");
    await expect.poll(() => reflection.seen.changes, pollOptions).toHaveLength(2);
    relayed.proxy.refuse();
    await relayed.server.kubectl(["delete", "configmap", "goes"]);
    await relayed.server.apply(
      JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", ...configMap("comes", "away") }),
    );
    await relayed.server.stopServer();
    await relayed.server.compact();
    await relayed.server.startServer();
    relayed.proxy.resume();
    await expect
      .poll(() => [...reflection.seen.changes.slice(2)].sort(), pollOptions)
      .toEqual(["added comes", "removed goes"]);
    expect(reflection.seen.lists).toBeGreaterThan(1);
    await create("later", "away");
    await expect.poll(() => reflection.seen.changes.at(-1), pollOptions).toBe("added later");
  });

  it("does not continue after stop", async () => {
    const reflection = reflect("stopped");
    await expect.poll(() => reflection.reflected.isSynced, pollOptions).toBe(true);
    reflection.reflected.stop();
    await create("unheard-too", "stopped");
    using witness = reflect("stopped");
    await expect.poll(() => witness.seen.changes, pollOptions).toEqual(["added unheard-too"]);
    expect(reflection.seen).toEqual({ changes: [], lists: 1, failures: [] });
    await remove("unheard-too");
  });
});

const configMap = (name: string, set: string) => ({
  metadata: { namespace: "default", name, labels: { set } },
});

const describeChange = (change: StoreChange<Identified>): string =>
  `${change.is} ${(change.is === "removed" ? change.before : change.after).metadata.name}`;
