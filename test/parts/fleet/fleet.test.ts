/** A SipCluster on a real API server: its objects are created, restored and deleted. Each test continues after the one before. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Manifest } from "../../../operator/src/runtime/manifests.ts";
import { eventually } from "../api-server/eventually.ts";
import { FleetEnvironment } from "./fleet-environment.ts";

let environment: FleetEnvironment;

beforeAll(async () => {
  environment = await FleetEnvironment.start();
});

afterAll(() => (environment as FleetEnvironment | undefined)?.[Symbol.asyncDispose]());

const specOf = <Spec>(object: Manifest | undefined): Spec => object?.["spec"] as Spec;

const kinds = [
  ["serviceaccount", "pbx-nodes"],
  ["service", "pbx"],
  ["service", "pbx-metrics"],
  ["poddisruptionbudget", "pbx-nodes"],
  ["networkpolicy", "pbx-nodes"],
  ["secret", "pbx-keys"],
  ["configmap", "pbx-nodes"],
  ["deployment", "pbx-nodes"],
] as const;

const versions = async (): Promise<readonly (string | undefined)[]> => {
  const objects = await Promise.all(kinds.map(([kind, name]) => environment.object(kind, name)));
  return objects.map((object) => object?.metadata.resourceVersion);
};

interface Ring {
  readonly keys: readonly { readonly id: string; readonly signFrom: number; readonly dropAfter?: number }[];
}

async function ring(): Promise<Ring["keys"]> {
  const secret = (await environment.object("secret", "pbx-keys")) as
    | { data?: Record<string, string> }
    | undefined;
  return (JSON.parse(Buffer.from(secret?.data?.["keys.json"] ?? "", "base64").toString()) as Ring).keys;
}

/** The hash of the configuration that the operator wrote last, as nodes report it. */
async function wantedHash(): Promise<string> {
  const [pod] = await environment.pods();
  return pod?.metadata.annotations?.["sip.strowger.dev/configuration"] ?? "";
}

test("without an address of the load balancer all objects exist except for the configuration and the pods", async () => {
  await environment.cluster();
  expect(await environment.becomes("AddressPending")).toContain("load balancer");
  expect(await environment.object("deployment", "pbx-nodes")).toBeUndefined();
  expect(await environment.object("configmap", "pbx-nodes")).toBeUndefined();
  const service = specOf<Record<string, unknown>>(await environment.object("service", "pbx"));
  expect(service).toMatchObject({ type: "LoadBalancer", externalTrafficPolicy: "Local" });
  expect(service["healthCheckNodePort"]).toBeGreaterThan(0);
});

test("with an address the configuration and the pods are created, and the SipCluster becomes Ready", async () => {
  await environment.giveAddress("pbx", "192.0.2.10");
  for (const { metadata } of await environment.run(2)) await environment.writeHeartbeat(metadata.name);
  expect(await environment.becomes("Reconciled")).toBe("2 of 2 nodes serve");
  await eventually("nodes are counted", async () => (await environment.find()).status?.["nodes"] === 2);
  const { status } = await environment.find();
  expect(status).toMatchObject({
    addresses: [{ transport: "udp", host: "192.0.2.10", port: 5060 }],
    ...{ image: "registry.example/sip-node:1.0.0", version: "1.0.0", readyNodes: 2 },
    selector: "app.kubernetes.io/component=sip-node,sip.strowger.dev/cluster=pbx",
  });
  expect(status?.["installationId"]).toMatch(/^[0-9a-f-]{36}$/);
  expect(await environment.becomes("Connected", "DatabaseReady")).toBeTruthy();
  expect(await environment.becomes("AddressKnown", "AddressReady")).toContain("192.0.2.10:5060");
  // No node answers SIP here.
  expect(await environment.becomes("NoAnswer", "Answering")).toMatch(/Service pbx, pbx-nodes-/);
  expect(await environment.becomes("NothingFromOutside", "Reachable")).toBeTruthy();
  const [pod] = await environment.pods();
  expect(specOf<{ serviceAccountName: string }>(pod).serviceAccountName).toBe("pbx-nodes");
});

test("one datagram from outside within five minutes makes the exchange Reachable", async () => {
  const [pod] = await environment.pods();
  await environment.writeHeartbeat(pod?.metadata.name ?? "", { outside: Date.now() });
  await environment.becomes("SeenFromOutside", "Reachable");
});

test("without a difference nothing is written, even after several reconciles", async () => {
  const [before, cluster] = [await versions(), await environment.find()];
  expect(before).not.toContain(undefined);
  // Objects that are not watched are also read again.
  environment.skew += 120_000;
  const statusBefore = cluster.status;
  await environment.resync();
  expect(await versions()).toEqual(before);
  expect((await environment.find()).status).toEqual(statusBefore);
});

test("deleted and changed objects are restored", async () => {
  await environment.server.kubectl(["delete", "service", "pbx-metrics", "--wait=true"]);
  await eventually(
    "the Service is back",
    async () => (await environment.object("service", "pbx-metrics")) !== undefined,
  );
  await environment.server.kubectl(["scale", "deployment", "pbx-nodes", "--replicas=7"]);
  const replicas = async () =>
    specOf<{ replicas: number }>(await environment.object("deployment", "pbx-nodes")).replicas;
  await eventually("the Deployment follows the SipCluster", async () => (await replicas()) === 2);
  await environment.server.kubectl(["delete", "pdb,networkpolicy", "pbx-nodes", "--wait=true"]);
  environment.skew += 120_000;
  await environment.resync();
  await eventually(
    "the budget and the policy are restored",
    async () => !(await versions()).includes(undefined),
  );
});

test("an autoscaler writes replicas through scale, and the nodes with the least load are removed first", async () => {
  await environment.server.kubectl(["scale", "sipcluster", "pbx", "--replicas=4"]);
  const pods = (await environment.run(4)).map(({ metadata }) => metadata.name);
  const loads = [40, 1, 30, 2];
  for (const [i, name] of pods.entries()) await environment.writeHeartbeat(name, { load: loads[i] ?? 0 });
  await environment.becomes("Reconciled");
  await environment.server.kubectl(["scale", "sipcluster", "pbx", "--replicas=2"]);
  await eventually("two pods are deleted", async () => (await environment.pods()).length === 2);
  const left = (await environment.pods()).map(({ metadata }) => metadata.name);
  expect(left.sort()).toEqual([pods[0], pods[2]].sort());
  for (const name of pods)
    if (!left.includes(name))
      await environment.database.query("DELETE FROM strowger_node WHERE name = ?", [name]);
});

test("design-sip rule 18: keys are rotated in three steps, and each step waits until every live node has the one before", async () => {
  await environment.becomes("Reconciled");
  const [old] = await ring();
  await environment.cluster({ replicas: 2 }, { "sip.strowger.dev/rotate-keys": "2026-11" });
  await eventually("the ring has the new key", async () => (await ring()).length === 2);
  expect((await ring())[1]?.signFrom).toBe(Number.MAX_SAFE_INTEGER);
  const [one = "", two = ""] = (await environment.pods()).map(({ metadata }) => metadata.name);

  const first = await wantedHash();
  await environment.writeHeartbeat(one, { hash: first });
  await environment.resync();
  await eventually("with one of two nodes nothing changes", async () => (await wantedHash()) === first);
  expect((await ring())[1]?.signFrom).toBe(Number.MAX_SAFE_INTEGER);
  await environment.writeHeartbeat(two, { hash: first });
  await eventually(
    "it signs",
    async () => ((await ring())[1]?.signFrom ?? Infinity) < Number.MAX_SAFE_INTEGER,
  );
  expect((await ring())[0]).toEqual(old);

  await eventually("the pods are annotated", async () => (await wantedHash()) !== first);
  for (const name of [one, two]) await environment.writeHeartbeat(name, { hash: await wantedHash() });
  await eventually("the old key has an end", async () => (await ring())[0]?.dropAfter !== undefined);
  const events = await environment.server.kubectl(["get", "events", "-o", "jsonpath={.items[*].message}"]);
  for (const step of [1, 2, 3]) expect(events).toContain(`step ${step} of 3`);
});

test("keys that are deleted while nodes live are reported and not generated again; a backup restores them", async () => {
  const backup = await environment.object("secret", "pbx-keys");
  await environment.server.kubectl(["delete", "secret", "pbx-keys"]);
  expect(await environment.becomes("KeysMissing")).toContain("backup");
  expect(await environment.object("secret", "pbx-keys")).toBeUndefined();
  const { data } = backup as unknown as { data: object };
  await environment.server.apply(
    JSON.stringify({
      ...{ apiVersion: "v1", kind: "Secret", type: "Opaque", data },
      metadata: { name: "pbx-keys", namespace: "default" },
    }),
  );
  await environment.becomes("Reconciled");
  const adopted = async () =>
    (await environment.object("secret", "pbx-keys"))?.metadata.ownerReferences?.length;
  await eventually("it has its owner reference again", async () => (await adopted()) === 1);
});

test("a new address: the former one stays accepted, nodes get it, and no node restarts", async () => {
  const uids = async () => (await environment.pods()).map(({ metadata }) => metadata.uid).sort();
  const before = await uids();
  await environment.giveAddress("pbx", "192.0.2.99");
  await eventually("it is advertised", async () =>
    JSON.stringify((await environment.find()).status?.["addresses"]).includes("192.0.2.99"),
  );
  const { data } = (await environment.object("configmap", "pbx-nodes")) as unknown as {
    data: Record<string, string>;
  };
  const { sip } = JSON.parse(data["config.json"] ?? "") as { sip: { former: string[] } };
  expect(sip.former).toContain("192.0.2.10:5060");
  expect(await uids()).toEqual(before);
});

test("another type of the same Service: the fields of the old type are removed", async () => {
  const before = (await environment.object("service", "pbx"))?.metadata.uid;
  const types = [
    { type: "LoadBalancer", port: 5060, is: { externalTrafficPolicy: "Local" } },
    { type: "NodePort", port: 30_060, is: { externalTrafficPolicy: "Local", ports: [{ nodePort: 30_060 }] } },
    { type: "ClusterIP", port: 5060, is: {} },
    { type: "LoadBalancer", port: 5060, is: { externalTrafficPolicy: "Local" } },
  ];
  for (const { type, port, is } of types) {
    await environment.cluster({
      service: { mode: "Mixed", type },
      advertise: { udp: { host: "192.0.2.1", port } },
    });
    const spec = async () => specOf<{ type: string }>(await environment.object("service", "pbx"));
    await eventually(type, async () => (await spec()).type === type, {
      more: () => environment.failures.at(-1) ?? "",
    });
    expect(await spec()).toMatchObject(is);
    if (type === "ClusterIP") expect(await spec()).not.toHaveProperty("externalTrafficPolicy");
  }
  expect((await environment.object("service", "pbx"))?.metadata.uid).toBe(before);
});

test("a refusal of Kubernetes is in the condition", async () => {
  const limits = { memory: "1Mi" };
  await environment.cluster({ resources: { requests: { memory: "2Mi" }, limits } });
  expect(await environment.becomes("Refused")).toContain("memory");
  await environment.cluster({ template: { spec: { affinity: { nodeAffinty: {} } } } });
  expect(await environment.becomes("Refused")).toContain("nodeAffinty");
  await environment.cluster();
});

test("a deleted SipCluster deletes its objects and releases the database; its rows stay", async () => {
  await environment.becomes("Reconciled");
  await environment.server.kubectl(["delete", "sipcluster", "pbx", "--wait=true", "--timeout=30s"]);
  const [meta] = await environment.database.query<{ name: string }>(
    "SELECT cluster_name AS name FROM strowger_meta",
  );
  expect(meta?.name).toBe("");
  for (const [kind, name] of kinds)
    await eventually(
      `${kind} ${name} is gone`,
      async () => (await environment.object(kind, name)) === undefined,
    );
});
