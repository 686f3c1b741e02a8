/** Objects of Kubernetes' own kinds for a SipCluster: apply, create, watch by label, delete by uid; the ranges of nodes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KubeClient } from "../../../operator/src/adapters/kube/kube-client.ts";
import { systemClock } from "../../../operator/src/runtime/clock.ts";
import type { Manifest } from "../../../operator/src/runtime/manifests.ts";
import { KubernetesManifests } from "../../../operator/src/sources/kubernetes/kubernetes-manifests.ts";
import { startRelayedApiServer, type RelayedApiServer } from "./relayed-api-server.ts";

const pollOptions = { timeout: 30_000, interval: 50 };
const labels = { "sip.strowger.dev/cluster": "x" };

describe("kubernetes manifests", () => {
  let relayed: RelayedApiServer;
  let manifests: KubernetesManifests;
  const changes: string[] = [];
  const failures: string[] = [];

  const make = (client: KubeClient): KubernetesManifests =>
    new KubernetesManifests({
      client,
      clock: systemClock,
      random: Math.random,
      observer: {
        reflecting: () => undefined,
        failed: (type, cause) => failures.push(`${type}: ${(cause as Error).message}`),
        handlerFailed: (type, cause) => failures.push(`${type}: ${String(cause)}`),
      },
    });

  beforeAll(async () => {
    relayed = await startRelayedApiServer({ users: { tenant: [] } });
    manifests = make(relayed.client());
    await manifests.start({ changed: ({ kind, key }) => changes.push(`${kind} ${key}`) });
  });

  afterAll(async () => {
    manifests?.stop();
    await relayed?.[Symbol.asyncDispose]();
  });

  const service = (name: string, port: number, own: object = labels): Manifest => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "default", name, labels: { ...own } },
    spec: { selector: { app: "x" }, ports: [{ name: "sip", port, protocol: "UDP" }] },
  });

  it("applies, has the result in the store at once, and reports it", async () => {
    const applied = await manifests.apply(service("one", 5060));
    expect(applied.metadata.uid).toBeDefined();
    await expect.poll(() => changes, pollOptions).toContain("Service default/one");
    await manifests.apply(service("one", 5061));
    const [known] = manifests.list({ apiVersion: "v1", kind: "Service" }, "default", labels);
    expect(known).toMatchObject({ kind: "Service", spec: { ports: [{ port: 5061 }] } });
    expect(manifests.list({ apiVersion: "v1", kind: "Service" }, "default", { other: "label" })).toEqual([]);
    expect(failures).toEqual([]);
  });

  it("an object without the label is not watched", async () => {
    changes.length = 0;
    await manifests.apply(service("unlabelled", 5060, {}));
    await manifests.apply(service("labelled", 5060));
    await expect.poll(() => changes, pollOptions).toEqual(["Service default/labelled"]);
  });

  it("creates once, and returns whether it did", async () => {
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { namespace: "default", name: "keys" } };
    expect(await manifests.create({ ...secret, stringData: { a: "1" } })).toBe(true);
    expect(await manifests.create({ ...secret, stringData: { a: "2" } })).toBe(false);
    const read = await manifests.read({ apiVersion: "v1", kind: "Secret" }, "default/keys");
    expect(read?.["data"]).toEqual({ a: Buffer.from("1").toString("base64") });
    expect(await manifests.read({ apiVersion: "v1", kind: "Secret" }, "default/none")).toBeUndefined();
  });

  it("deletes only the object with the uid, and succeeds if it does not exist", async () => {
    const type = { apiVersion: "v1", kind: "Service" };
    const { metadata } = await manifests.apply(service("going", 5060));
    await manifests.remove(type, "default/going", "11111111-2222-3333-4444-555555555555");
    expect(await manifests.read(type, "default/going")).toBeDefined();
    await manifests.remove(type, "default/going", metadata.uid ?? "");
    await manifests.remove(type, "default/going", metadata.uid ?? "");
    expect(await manifests.read(type, "default/going")).toBeUndefined();
  });

  it("the message of a refused request has the object and the reason", async () => {
    await expect(manifests.apply(service("bad", 99_999))).rejects.toThrow(
      /PATCH Service default\/bad: 422 .*spec\.ports\[0\]\.port/,
    );
  });

  it("the ranges of pods and nodes; empty if Nodes may not be read", async () => {
    const node = {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "node-1" },
      spec: { podCIDR: "10.244.1.0/24", podCIDRs: ["10.244.1.0/24"] },
    };
    await relayed.server.apply(JSON.stringify(node));
    expect(await manifests.clusterRanges()).toEqual(["10.244.1.0/24"]);
    const tenant = make(
      new KubeClient(relayed.connect(await relayed.relayed(relayed.server.kubeconfigOf("tenant")))),
    );
    expect(await tenant.clusterRanges()).toEqual([]);
  });
});
