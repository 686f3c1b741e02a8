/** The API server as a source of objects: reported changes, and writes with their field managers. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isAbsence } from "../../../operator/src/adapters/kube/api-error.ts";
import { KubeClient } from "../../../operator/src/adapters/kube/kube-client.ts";
import { resourceTypes } from "../../../operator/src/adapters/kube/resource-type.ts";
import { systemClock } from "../../../operator/src/runtime/clock.ts";
import type { KubernetesObject, ObjectKey } from "../../../operator/src/runtime/object.ts";
import { writeFinalizer } from "../../../operator/src/sources/kubernetes/write-finalizer.ts";
import { KubernetesSource } from "../../../operator/src/sources/kubernetes/kubernetes-source.ts";
import { startRelayedApiServer, type RelayedApiServer } from "./relayed-api-server.ts";

const pollOptions = { timeout: 30_000, interval: 50 };
const { SipUser, Secret } = resourceTypes;

describe("kubernetes source", () => {
  let relayed: RelayedApiServer;
  let admin: KubeClient;
  let source: KubernetesSource;
  const changes: string[] = [];
  const waits: string[] = [];
  let settled = 0;

  beforeAll(async () => {
    relayed = await startRelayedApiServer({ users: { tenant: [] } });
    admin = relayed.client();
  });

  afterAll(async () => {
    await source?.stop();
    await relayed?.[Symbol.asyncDispose]();
  });

  const makeSource = (client: KubeClient, failures: string[], namespaces?: readonly string[]) =>
    new KubernetesSource({
      client,
      clock: systemClock,
      random: Math.random,
      ...(namespaces === undefined ? {} : { namespaces }),
      observer: {
        reflecting: () => undefined,
        failed: (type, cause) => failures.push(`${type}: ${(cause as Error).message}`),
        handlerFailed: (type, cause) => failures.push(`${type}: ${String(cause)}`),
        waits: (why) => waits.push(why),
        eventFailed: (cause) => failures.push(String(cause)),
      },
    });

  const apply = (name: string, spec: object = {}, namespace = "default", metadata: object = {}) =>
    relayed.server.apply(
      JSON.stringify({
        apiVersion: "sip.strowger.dev/v1alpha1",
        kind: "SipUser",
        metadata: { name, namespace, ...metadata },
        spec: { domainRef: { name: "example" }, username: name, generatePassword: true, ...spec },
      }),
    );

  const user = async (name: string): Promise<KubernetesObject> => {
    await expect.poll(() => source.get("SipUser", `default/${name}`), pollOptions).toBeDefined();
    return source.get("SipUser", `default/${name}`)!;
  };

  const live = (name: string) => admin.get<KubernetesObject>(SipUser, { namespace: "default", name });

  it("waits for the definitions, and reports the missing ones and the solution", async () => {
    const failures: string[] = [];
    source = makeSource(relayed.client(), failures);
    const started = source.start({
      changed: ({ kind, key, what }) => changes.push(`${kind} ${key} ${what}`),
      settled: () => (settled += 1),
    });
    await expect.poll(() => waits, pollOptions).toHaveLength(1);
    expect(waits[0]).toContain("SipCluster is not served; SipDomain is not served; SipUser is not served");
    expect(waits[0]).toContain("kubectl apply --server-side -f crds/");
    expect(source.obstacle).toBe(waits[0]);
    await relayed.server.installCrds();
    await started;
    expect(source.obstacle).toBeUndefined();
    expect(source.staleness).toBeUndefined();
    expect(settled).toBeGreaterThan(0);
    expect(failures).toEqual([]);
  });

  it("the missing fields of an older definition are reported", async () => {
    const crd = "sipusers.sip.strowger.dev";
    const full = await relayed.server.get<{ spec: { versions: [{ schema: unknown }] } }>("crd", crd);
    const path = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/secretResourceVersion";
    await relayed.server.kubectl([
      "patch",
      "crd",
      crd,
      "--type=json",
      "-p",
      `[{"op":"remove","path":"${path}"}]`,
    ]);
    const reports = waits.length;
    const second = makeSource(relayed.client(), []);
    const published = `/openapi/v3/apis/sip.strowger.dev/v1alpha1`;
    await expect
      .poll(() => admin.read(published).then(JSON.stringify), pollOptions)
      .not.toContain("secretResourceVersion");
    const started = second.start({ changed: () => undefined, settled: () => undefined });
    await expect
      .poll(() => waits.slice(reports).join(), pollOptions)
      .toContain("SipUser is served without status.secretResourceVersion");
    await relayed.server.apply(JSON.stringify({ ...full, metadata: { name: crd } }));
    await started;
    await second.stop();
  });

  it("reports a new object and a new spec as an object change, and a new status as a status change", async () => {
    await apply("reports");
    await expect.poll(() => changes, pollOptions).toContain("SipUser default/reports object");
    changes.length = 0;
    await admin.apply(
      SipUser,
      { metadata: { namespace: "default", name: "reports" }, status: { address: "x" } } as never,
      { fieldManager: "somebody", subresource: "status" },
    );
    await expect.poll(() => changes, pollOptions).toEqual(["SipUser default/reports status"]);
    await apply("reports", { displayName: "Told" });
    await expect
      .poll(() => changes, pollOptions)
      .toEqual(["SipUser default/reports status", "SipUser default/reports object"]);
  });

  it("each of two status writers owns its fields, and removes only those", async () => {
    await apply("status");
    await user("status");
    const write = (status: object, writer: "status" | "registrations") =>
      source.writeStatus("SipUser", "default/status", status, writer);
    await write({ address: "status@example.com", observedGeneration: 1 }, "status");
    await write({ registered: true, contacts: 2 }, "registrations");
    await write({ observedGeneration: 2 }, "status");
    expect((await live("status")).status).toEqual({ observedGeneration: 2, registered: true, contacts: 2 });
    await write({ registered: false }, "registrations");
    expect((await live("status")).status).toEqual({ observedGeneration: 2, registered: false });
  });

  it("has its own writes in the store at once, and reports each once, as a status change", async () => {
    await apply("own");
    await user("own");
    changes.length = 0;
    await source.setFinalizer("SipUser", "default/own", true);
    await source.writeStatus("SipUser", "default/own", { address: "own@example.com" }, "status");
    const known = source.get("SipUser", "default/own");
    expect(known?.metadata.finalizers).toEqual(["sip.strowger.dev/rows"]);
    expect(known?.status).toEqual({ address: "own@example.com" });
    await apply("marker");
    await expect.poll(() => changes.at(-1), pollOptions).toBe("SipUser default/marker object");
    const status = "SipUser default/own status";
    expect(changes).toEqual([status, status, "SipUser default/marker object"]);
  });

  it("the finalizer is added and removed beside others, also after a concurrent change of the object", async () => {
    await apply("held", {}, "default", { finalizers: ["example.com/others"] });
    const key = "default/held";
    const stale = await user("held");
    const more = ["example.com/others", "example.com/more"];
    const patch = { metadata: { finalizers: more } };
    const place = { namespace: "default", name: "held" };
    await admin.mergePatch(SipUser, place, patch, { fieldManager: "somebody" });
    await writeFinalizer(admin, SipUser, key, true, stale);
    expect((await live("held")).metadata.finalizers).toEqual([...more, "sip.strowger.dev/rows"]);
    await source.setFinalizer("SipUser", key, true);
    expect((await live("held")).metadata.finalizers).toEqual([...more, "sip.strowger.dev/rows"]);
    await relayed.server.kubectl(["delete", "sipuser", "held", "--wait=false"]);
    await source.setFinalizer("SipUser", key, false);
    expect((await live("held")).metadata.finalizers).toEqual(more);
    await expect(source.setFinalizer("SipUser", key, true)).rejects.toThrow(
      "SipUser default/held is being deleted",
    );
    await admin.mergePatch(
      SipUser,
      { namespace: "default", name: "held" },
      { metadata: { finalizers: null } },
      { fieldManager: "t" },
    );
    await source.setFinalizer("SipUser", key, false);
  });

  it("does not write the status of an object to another one with the same name", async () => {
    await apply("twice");
    await user("twice");
    relayed.proxy.refuse();
    await relayed.server.kubectl(["delete", "sipuser", "twice"]);
    await apply("twice");
    const direct = new KubeClient(relayed.connect(relayed.server.kubeconfig));
    const { metadata } = await direct.get<KubernetesObject>(SipUser, { namespace: "default", name: "twice" });
    relayed.proxy.resume();
    await source.writeStatus("SipUser", "default/twice", { address: "old@example.com" }, "status");
    await expect
      .poll(() => source.get("SipUser", "default/twice")?.metadata.uid, pollOptions)
      .toBe(metadata.uid);
    const { status } = await live("twice");
    // If the watch was faster, the status belongs to the new object.
    expect([undefined, { address: "old@example.com" }]).toContainEqual(status);
    await source.writeStatus("SipUser", "default/nobody", { address: "x" }, "status");
    await expect(live("nobody")).rejects.toSatisfy((error) => isAbsence(error, SipUser, "nobody"));
  });

  it("existence: present, proven absent, and unknown if the object may not be read or its kind is not served", async () => {
    await apply("present");
    const { metadata } = await live("present");
    expect(await source.existence("SipUser", "default/present")).toEqual({
      is: "present",
      uid: metadata.uid,
    });
    expect(await source.existence("SipUser", "default/absent")).toEqual({ is: "absent" });
    const tenant = makeSource(
      new KubeClient(relayed.connect(await relayed.relayed(relayed.server.kubeconfigOf("tenant")))),
      [],
    );
    expect(await tenant.existence("SipUser", "default/absent")).toMatchObject({ is: "unknown" });
    relayed.proxy.refuse();
    expect(await source.existence("SipUser", "default/absent")).toMatchObject({ is: "unknown" });
    relayed.proxy.resume();
  });

  it("labels of a namespace; undefined if it does not exist or may not be read", async () => {
    expect(await source.namespaceLabels("default")).toMatchObject({
      "kubernetes.io/metadata.name": "default",
    });
    expect(await source.namespaceLabels("no-such")).toBeUndefined();
    const tenant = makeSource(
      new KubeClient(relayed.connect(await relayed.relayed(relayed.server.kubeconfigOf("tenant")))),
      [],
    );
    expect(await tenant.namespaceLabels("default")).toBeUndefined();
  });

  it("Secrets are read live, generated once, and deleted only for the object for which they were generated", async () => {
    const key: ObjectKey = "default/generated";
    expect(await source.secret(key)).toBeUndefined();
    changes.length = 0;
    await source.createSecret(key, { password: "sécret" }, "uid-1");
    await source.createSecret(key, { password: "another" }, "uid-2");
    expect(await source.secret(key)).toMatchObject({
      data: { password: "sécret" },
      generatedFor: "uid-1",
      isWatched: true,
    });
    await expect.poll(() => changes, pollOptions).toEqual(["Secret default/generated object"]);
    await source.removeSecret(key, "uid-2");
    expect(await source.secret(key)).toBeDefined();
    await source.removeSecret(key, "uid-1");
    await source.removeSecret(key, "uid-1");
    expect(await source.secret(key)).toBeUndefined();
  });

  it("changes of a Secret without the label are not reported", async () => {
    changes.length = 0;
    for (const [name, labels] of [
      ["unlabelled", {}],
      ["labelled", { "sip.strowger.dev/watch": "true" }],
    ] as const)
      await admin.create(
        Secret,
        { metadata: { namespace: "default", name, labels }, stringData: { a: "b" } } as never,
        {
          fieldManager: "test",
        },
      );
    await expect.poll(() => changes, pollOptions).toEqual(["Secret default/labelled object"]);
  });

  it("Events: a repeated Event is counted; kubectl describe shows it", async () => {
    await apply("eventful");
    const object = await user("eventful");
    for (let round = 0; round < 3; round += 1)
      source.event(object, {
        type: "Warning",
        reason: "Conflict",
        message: `the name is taken ${"€".repeat(600)}`,
      });
    source.event(object, { type: "Normal", reason: "Reconciled", message: "well" });
    const find = async () =>
      (await relayed.server.get<{ items: { reason: string; count: number }[] }>("events")).items
        .filter(({ reason }) => reason === "Conflict" || reason === "Reconciled")
        .map(({ reason, count }) => `${reason} ${count}`)
        .sort();
    await expect.poll(find, pollOptions).toEqual(["Conflict 3", "Reconciled 1"]);
    await relayed.server.kubectl(["delete", "events", "--all"]);
    source.event(object, { type: "Normal", reason: "Reconciled", message: "well" });
    await expect.poll(find, pollOptions).toEqual(["Reconciled 1"]);
    expect(await relayed.server.kubectl(["describe", "sipuser", "eventful"])).toMatch(
      /Normal\s+Reconciled\s+.*strowger-operator\s+well/,
    );
  });

  it("with a list of namespaces a Role in each is enough, and other namespaces are not read", async () => {
    await relayed.server.kubectl(["create", "namespace", "tel"]);
    await relayed.server.apply(JSON.stringify(roleOf("tel", "tenant")));
    await apply("inside", {}, "tel");
    await apply("outside");
    const failures: string[] = [];
    const client = new KubeClient(
      relayed.connect(await relayed.relayed(relayed.server.kubeconfigOf("tenant"))),
    );
    const tenant = makeSource(client, failures, ["tel"]);
    await tenant.start({ changed: () => undefined, settled: () => undefined });
    expect(tenant.list("SipUser").map(({ metadata }) => metadata.name)).toEqual(["inside"]);
    expect(tenant.get("SipUser", "default/outside")).toBeUndefined();
    expect(failures).toEqual([]);
    await tenant.stop();
  });
});

/** The rules that a source needs in a Role of namespaced mode. */
const roleOf = (namespace: string, user: string) => ({
  apiVersion: "v1",
  kind: "List",
  items: [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: { name: "operator", namespace },
      rules: [
        { apiGroups: ["sip.strowger.dev"], resources: ["*"], verbs: ["get", "list", "watch"] },
        { apiGroups: [""], resources: ["secrets"], verbs: ["get", "list", "watch"] },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name: "operator", namespace },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "operator" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
    },
  ],
});
