/** `strowger uninstall` on an API server: the removed finalizers, the objects that stay, and its rights. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { finalizer } from "../../../cli/src/uninstall/uninstall.ts";
import { ApiServer } from "../../support/kubernetes/api-server.ts";
import { describeWith } from "../../support/needs.ts";
import { renderChart } from "./render-chart.ts";
import { strowger } from "./run-strowger.ts";

const users = 40;

describeWith(["etcd"], "strowger uninstall", () => {
  let server: ApiServer;
  beforeAll(async () => {
    server = await ApiServer.start({ controllerManager: true });
    await server.installCrds();
    await server.kubectl(["create", "namespace", "strowger-system"]);
    await server.kubectl(["create", "namespace", "tenant"]);
  });
  afterAll(async () => server?.[Symbol.asyncDispose]());

  /** Runs it with exactly the rights of the hook's Job. */
  const uninstall = (kubeconfig: string) =>
    strowger(kubeconfig, [
      "uninstall",
      "--namespace",
      "strowger-system",
      "--deployment",
      "strowger-operator",
    ]);

  test("the operator is scaled to 0, and its finalizers are removed; other finalizers and the objects stay", async () => {
    const { manifests } = await renderChart({ namespace: "strowger-system" });
    const hook = manifests.filter(({ metadata }) => metadata.name.startsWith("strowger-uninstall"));
    const roles = hook.filter(({ kind }) => kind !== "Job");
    await server.apply(roles.map((manifest) => JSON.stringify(manifest)).join("\n---\n"));
    await server.apply(objects());
    const account = await server.serviceAccount("strowger-system", "strowger-uninstall");

    const { status, output } = await uninstall(account);

    expect(output).toBe(
      "operator: scaled to 0\noperator: the last pod has ended\n" +
        `sipusers: finalizer of ${users} objects removed\nsipdomains: finalizer of 1 objects removed\n` +
        "sipclusters: finalizer of 1 objects removed\n",
    );
    expect(status).toBe(0);
    const scaled = await server.get("deployment", "strowger-operator", "-n", "strowger-system");
    expect(scaled).toMatchObject({ spec: { replicas: 0 } });
    const left = await server.get<{ items: Item[] }>("sipclusters,sipdomains,sipusers", "-A");
    expect(left.items).toHaveLength(users + 2);
    const finalizers = left.items.flatMap(({ metadata }) => metadata.finalizers ?? []);
    expect(finalizers, "only the other finalizer").toEqual(["example.com/other"]);

    expect((await uninstall(account)).output, "a second run changes nothing").toContain(
      "of 0 objects removed",
    );
  });

  test("a refused request is reported with the API server's message, and the exit status is 1", async () => {
    const stranger = await server.serviceAccount("tenant", "stranger");
    const { status, output } = await uninstall(stranger);
    expect(status).toBe(1);
    expect(output).toMatch(/^strowger uninstall: PATCH .*strowger-operator\/scale: 403 .*cannot patch/);
  });
});

interface Item {
  readonly metadata: { readonly name: string; readonly finalizers?: readonly string[] };
}

/** An operator's Deployment without pods, a domain with a second finalizer, and users. */
function objects(): string {
  const labels = { app: "operator" };
  const ours = (kind: string, name: string, spec: unknown, finalizers = [finalizer]) => ({
    apiVersion: "sip.strowger.dev/v1alpha1",
    kind,
    metadata: { name, namespace: "tenant", finalizers },
    spec,
  });
  const operator = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "strowger-operator", namespace: "strowger-system" },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "operator", image: "none" }] } },
    },
  };
  const list = [
    operator,
    ours("SipCluster", "exchange", { replicas: 2 }),
    ours("SipDomain", "sip", { clusterRef: { name: "exchange" }, domain: "sip.example" }, [
      finalizer,
      "example.com/other",
    ]),
    ...Array.from({ length: users }, (_, i) =>
      ours("SipUser", `user-${i}`, { domainRef: { name: "sip" }, username: `u${i}`, generatePassword: true }),
    ),
  ];
  return list.map((object) => JSON.stringify(object)).join("\n---\n");
}
