/** The Kubernetes objects of a SipCluster on a real API server. There are no nodes, so no pod runs. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { OperatorEnvironment, sipCluster, sipDomain } from "./operator-environment.ts";
import type { OperatorPod } from "./operator-pod.ts";

interface Child {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly {
      readonly kind: string;
      readonly name: string;
      readonly uid: string;
    }[];
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly replicas?: number;
    readonly ports?: readonly object[];
    readonly template?: { readonly spec: { readonly priorityClassName?: string } };
  };
}

let environment: OperatorEnvironment;
let operator: OperatorPod;

beforeAll(async () => {
  environment = await OperatorEnvironment.start({ databases: ["second", "third", "fourth"] });
  operator = await environment.leader();
});

afterAll(() => (environment as OperatorEnvironment | undefined)?.[Symbol.asyncDispose]());

const kinds = "deployments,services,configmaps,secrets,serviceaccounts,poddisruptionbudgets,networkpolicies";

async function childrenOf(name: string): Promise<readonly Child[]> {
  const selector = `sip.strowger.dev/cluster=${name}`;
  const { items } = await environment.server.get<{ items: readonly Child[] }>(kinds, "-l", selector);
  return items;
}

const namesOf = (children: readonly Child[]): readonly string[] =>
  children.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();

const childOf = (children: readonly Child[], kind: string, name: string): Child | undefined =>
  children.find((child) => child.kind === kind && child.metadata.name === name);

const everything = (name: string): readonly string[] =>
  [
    `ConfigMap ${name}-nodes`,
    `Deployment ${name}-nodes`,
    `NetworkPolicy ${name}-nodes`,
    `PodDisruptionBudget ${name}-nodes`,
    `Secret ${name}-keys`,
    `Service ${name}`,
    `Service ${name}-metrics`,
    `ServiceAccount ${name}-nodes`,
  ].sort();

const becomes = (name: string, expected: readonly string[]): Promise<void> => {
  let found: readonly string[] = [];
  return eventually(
    `${name} has ${expected.join(", ")}`,
    async () => {
      found = namesOf(await childrenOf(name));
      return JSON.stringify(found) === JSON.stringify(expected);
    },
    { more: () => `${found.join(", ")}\n${operator.log.slice(-3_000)}` },
  );
};

test("with an advertised address all objects are created, owned by the SipCluster, and the database is ready", async () => {
  await environment.apply(sipCluster("exchange", environment.mysql(), { replicas: 3 }));
  await becomes("exchange", everything("exchange"));
  const children = await childrenOf("exchange");
  const cluster = await environment.find("SipCluster", "exchange");
  for (const { kind, metadata } of children)
    expect(metadata.ownerReferences, kind).toMatchObject([
      { kind: "SipCluster", name: "exchange", uid: cluster?.metadata.uid },
    ]);
  expect(childOf(children, "Deployment", "exchange-nodes")?.spec.replicas).toBe(3);
  await eventually("the database is ready", async () => {
    const condition = await environment.condition("SipCluster", "exchange", "default", "DatabaseReady");
    return condition?.status === "True";
  });
  expect((await environment.condition("SipCluster", "exchange"))?.status).toBe("False");
});

test("domains are written before the nodes are ready", async () => {
  await environment.apply(sipDomain("example", "example.com"));
  await environment.becomes("SipDomain", "example", "Reconciled");
});

test("no pods are created before the address is known", async () => {
  const mysql = environment.mysql("second");
  await environment.apply(sipCluster("pending", mysql, { advertise: {} }));
  await environment.becomes("SipCluster", "pending", "AddressPending");
  expect(namesOf(await childrenOf("pending"))).not.toContain("Deployment pending-nodes");
  const status = { status: { loadBalancer: { ingress: [{ ip: "192.0.2.77" }] } } };
  await environment.server.kubectl([
    ...["patch", "service", "pending", "--subresource=status", "--type=merge"],
    ...["-p", JSON.stringify(status)],
  ]);
  await becomes("pending", everything("pending"));
  const found = await environment.find("SipCluster", "pending");
  expect(found?.status).toMatchObject({ addresses: [{ transport: "udp", host: "192.0.2.77", port: 5060 }] });
  const configuration = childOf(await childrenOf("pending"), "ConfigMap", "pending-nodes")?.data?.[
    "config.json"
  ];
  expect(configuration).toContain("192.0.2.77");
});

test("a SipCluster without a database has the reason MysqlMissing", async () => {
  const { spec, ...rest } = sipCluster("bare", {}) as { spec: object };
  await environment.apply({ ...rest, spec: { ...spec, mysql: undefined } });
  await environment.becomes("SipCluster", "bare", "MysqlMissing");
});

test("replicas that an autoscaler writes through scale, and the pod template, are in the Deployment", async () => {
  await environment.server.kubectl(["scale", "sipcluster/exchange", "--replicas=5"]);
  await environment.patch("SipCluster", "exchange", {
    spec: { template: { spec: { priorityClassName: "phones" } } },
  });
  await eventually("the Deployment follows", async () => {
    const { spec } = childOf(await childrenOf("exchange"), "Deployment", "exchange-nodes") ?? {};
    return spec?.replicas === 5 && spec.template?.spec.priorityClassName === "phones";
  });
});

test("changed or deleted objects are restored", async () => {
  await environment.server.kubectl(["delete", "service", "exchange-metrics", "--wait=false"]);
  await environment.server.kubectl(["scale", "deployment/exchange-nodes", "--replicas=1"]);
  await becomes("exchange", everything("exchange"));
  await eventually("the Deployment is restored", async () => {
    const { spec } = childOf(await childrenOf("exchange"), "Deployment", "exchange-nodes") ?? {};
    return spec?.replicas === 5;
  });
});

test("an object with the same name and another owner is not taken over", async () => {
  await environment.apply({
    ...{ apiVersion: "v1", kind: "Service", metadata: { name: "squatted", namespace: "default" } },
    spec: { ports: [{ name: "http", port: 80 }] },
  });
  await environment.apply(sipCluster("squatted", environment.mysql("third")));
  await eventually("the condition shows it", async () => {
    const condition = await environment.condition("SipCluster", "squatted");
    return condition?.status === "False" && condition.message.includes("Service");
  });
  const { spec } = await environment.server.get<Child>("service", "squatted");
  expect(spec.ports).toMatchObject([{ name: "http" }]);
});

test("an operator that restarts does not write unchanged objects", async () => {
  const versions = async (): Promise<readonly string[]> =>
    (await childrenOf("exchange"))
      .map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.resourceVersion}`)
      .sort();
  const before = await versions();
  await operator.end();
  operator = await environment.leader();
  await operator.until("every cluster was reconciled", async () => {
    const done = await operator.total("controller_runtime_reconcile_total", { controller: "SipCluster" });
    return done >= 4;
  });
  expect(await versions()).toEqual(before);
});

test("a deleted SipCluster leaves its rows, and another SipCluster can use its database", async () => {
  const mysql = environment.mysql("fourth");
  await environment.apply(
    sipCluster("leaving", mysql),
    sipDomain("leaving", "leaving.example", { clusterRef: { name: "leaving" } }),
  );
  await environment.becomes("SipDomain", "leaving", "Reconciled");
  await environment.remove("SipCluster", "leaving");
  await environment.vanishes("SipCluster", "leaving");
  await environment.rowsBecome("SELECT domain FROM fourth.domain", [{ domain: "leaving.example" }]);
  await environment.becomes("SipDomain", "leaving", "ClusterNotFound");
  await environment.apply(sipCluster("next", mysql));
  await eventually("the database belongs to it", async () => {
    const condition = await environment.condition("SipCluster", "next", "default", "DatabaseReady");
    return condition?.status === "True";
  });
});
