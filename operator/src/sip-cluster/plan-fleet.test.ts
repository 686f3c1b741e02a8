import { expect, test } from "vitest";
import type { Manifest } from "../runtime/manifests.ts";
import type { ClusterDecision } from "./decide.ts";
import {
  makeDatabase,
  makeNode,
  makePod,
  type ClusterFixture,
} from "../../../test/support/operator/cluster-fixtures.ts";
import {
  liveAfter,
  summarize,
  findCondition,
  decideOn,
  liveWhenSettled,
} from "../../../test/support/operator/cluster-decisions.ts";
import { labelsOf } from "./manifests/names.ts";
import type { FleetState } from "./current-state.ts";

const withService = (): Map<string, Manifest> =>
  new Map([...liveWhenSettled()].filter(([name]) => name.startsWith("Service/")));

test("correct objects are not written again", () => {
  expect(summarize(decideOn({}, { live: liveWhenSettled() }).actions)).toEqual([]);
});

test("drift of any object is repaired, and fields that others added stay", () => {
  const live = liveWhenSettled();
  for (const [name, object] of live) {
    const without = new Map([...live].filter(([other]) => other !== name));
    const { kind, metadata } = object;
    if (kind !== "Secret")
      expect(summarize(decideOn({}, { live: without }).actions)).toContain(`apply ${kind} ${metadata.name}`);
    const labels = { ...metadata.labels, "app.kubernetes.io/part-of": "another" };
    const drifted = new Map(live).set(name, { ...object, metadata: { ...metadata, labels } });
    expect(summarize(decideOn({}, { live: drifted }).actions)).toEqual([`apply ${kind} ${metadata.name}`]);
    const added = { ...object, metadata: { ...metadata, labels: { ...metadata.labels, theirs: "1" } } };
    expect(summarize(decideOn({}, { live: new Map(live).set(name, added) }).actions)).toEqual([]);
  }
});

test("no pod and no configuration before the address is known", () => {
  const decision = decideOn({ spec: { advertise: undefined } }, { live: withService() });
  expect(summarize(decision.actions).join()).not.toMatch(/Deployment|ConfigMap/);
  expect(findCondition(decision, "Ready")).toMatchObject({ status: "False", reason: "AddressPending" });
});

test("no pod before the database belongs to this SipCluster; existing nodes continue while it cannot be reached", () => {
  const away = { kind: "away", reason: "DatabaseUnavailable", message: "gone" } as const;
  const unmade = decideOn({}, {}, { database: away });
  expect(summarize(unmade.actions).join()).not.toMatch(/Deployment|Secret/);
  expect("needsFinalizer" in unmade, "nobody knows whether there is a database to let go").toBe(false);
  const decision = decideOn({ spec: { replicas: 3 } }, { live: liveWhenSettled() }, { database: away });
  expect(summarize(decision.actions)).toEqual(["apply Deployment pbx-nodes"]);
  expect(findCondition(decision, "Ready")).toMatchObject({ status: "False", reason: "DatabaseUnavailable" });
  const holder = { namespace: "tel", name: "other", uid: "u2" };
  const taken = decideOn(
    { spec: { replicas: 3 } },
    { live: liveWhenSettled() },
    { database: makeDatabase({ holder }) },
  );
  expect(summarize(taken.actions)).toEqual([]);
  expect(findCondition(taken, "Ready")?.reason).toBe("DatabaseTaken");
});

test("missing keys while nodes live are a condition, and nothing else changes", () => {
  const live = liveWhenSettled();
  live.delete("Secret/pbx-keys");
  const database = makeDatabase({ nodes: [makeNode("a")] });
  const decision = decideOn({ spec: { replicas: 5 } }, { live }, { database });
  expect(decision.actions).toEqual([]);
  expect(findCondition(decision, "Ready")?.reason).toBe("KeysMissing");
  expect(summarize(decideOn({}, { live }).actions)).toEqual(["create Secret pbx-keys"]);
  const way = decideOn({ spec: { replicas: 0 } }, { live }, { database });
  expect(summarize(way.actions), "the way to new ones").toEqual(["apply Deployment pbx-nodes"]);
});

test("keys of a backup, or of an earlier SipCluster of this name, get this SipCluster as owner, so that they are not deleted with the old one", () => {
  const live = liveWhenSettled();
  const keys = live.get("Secret/pbx-keys")!;
  const [owner] = keys.metadata.ownerReferences ?? [];
  const metadata = {
    ...keys.metadata,
    resourceVersion: "7",
    ownerReferences: [{ ...owner!, uid: "before" }],
  };
  const { actions } = decideOn({}, { live: new Map(live).set("Secret/pbx-keys", { ...keys, metadata }) });
  expect(actions).toMatchObject([
    {
      do: "apply",
      manifest: { data: keys["data"], metadata: { resourceVersion: "7", ownerReferences: [owner] } },
    },
  ]);
});

test("nodes that are leaving do not prevent a SipCluster of the same name from creating keys", () => {
  const live = liveWhenSettled();
  live.delete("Secret/pbx-keys");
  const nodes = [makeNode("old", { isDraining: true })];
  const pods = [makePod("old", { isTerminating: true })];
  expect(summarize(decideOn({}, { live, pods }, { database: makeDatabase({ nodes }) }).actions)).toContain(
    "create Secret pbx-keys",
  );
});

test("an object of another owner with one of our names stays as it is", () => {
  const theirs = { apiVersion: "v1", kind: "Service", metadata: { namespace: "tel", name: "pbx" } };
  const decision = decideOn({}, { live: new Map([["Service/pbx", theirs]]) });
  expect(decision.actions).toEqual([]);
  expect(findCondition(decision, "Ready")).toMatchObject({ status: "False", reason: "NameTaken" });
});

test("the Service of the earlier mode is removed when the mode changes, and no other Service", () => {
  const services = ["pbx-udp", "pbx", "pbx-metrics"].map((name) => {
    const object = [...liveWhenSettled().values()].find(({ kind }) => kind === "Service")!;
    return { ...object, metadata: { ...object.metadata, name, uid: `uid-${name}` } };
  });
  const theirs = { ...services[0]!, metadata: { namespace: "tel", name: "extra", labels: labelsOf("pbx") } };
  const { actions } = decideOn({}, { live: liveWhenSettled(), services: [...services, theirs] });
  expect(summarize(actions)).toEqual(["remove Service pbx-udp"]);
});

test("before replicas is lowered every pod gets its deletion cost: draining and dead nodes have the lowest", () => {
  const pods = ["busy", "calm", "draining", "silent", "leaving"].map((name) =>
    makePod(name, { isTerminating: name === "leaving" }),
  );
  const nodes = [
    makeNode("busy", { load: 70 }),
    makeNode("calm", { load: 3 }),
    makeNode("draining", { load: 99, isDraining: true }),
    makeNode("silent", { load: 5, sinceHeartbeat: 20_000 }),
  ];
  const given = { spec: { replicas: 4 } };
  const { actions } = decideOn(
    { spec: { replicas: 2 } },
    { live: liveWhenSettled(given), pods },
    { database: makeDatabase({ nodes }) },
  );
  expect(summarize(actions).at(-1)).toBe("apply Deployment pbx-nodes");
  const costs = actions.flatMap((action) =>
    action.do === "annotatePod"
      ? [
          [
            action.manifest.metadata.name,
            action.manifest.metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"],
          ],
        ]
      : [],
  );
  expect(costs).toEqual([
    ["busy", "70"],
    ["calm", "3"],
    ["draining", "-1"],
    ["silent", "-1"],
  ]);
});

test("a changed configuration is annotated on running pods, after it is written, and their cost stays", () => {
  const cost = { "controller.kubernetes.io/pod-deletion-cost": "7" };
  const pods = [makePod("a", { annotations: cost }), makePod("starting", { isRunning: false })];
  const { actions } = decideOn({ spec: { peers: ["198.51.100.9"] } }, { live: liveWhenSettled(), pods });
  expect(summarize(actions)).toEqual(["apply ConfigMap pbx-nodes", "annotatePod Pod a"]);
  const [, note] = actions;
  const { annotations } = (note as { readonly manifest: Manifest }).manifest.metadata;
  expect(annotations).toMatchObject(cost);
  const noted = [makePod("a", { annotations: annotations! })];
  const live = new Map(liveWhenSettled({ spec: { peers: ["198.51.100.9"] } }));
  expect(decideOn({ spec: { peers: ["198.51.100.9"] } }, { live, pods: noted }).actions).toEqual([]);
});

test("settings that a node reads only at its start change the template, the others do not", () => {
  const templateOf = (given: ClusterFixture): unknown =>
    (liveWhenSettled(given).get("Deployment/pbx-nodes") as unknown as { spec: { template: unknown } }).spec
      .template;
  const before = templateOf({});
  const mysql = { port: 3306, database: "opensips", credentialsSecretRef: { name: "mysql-nodes" } };
  expect(templateOf({ spec: { mysql: { ...mysql, hosts: ["another"] } } })).not.toEqual(before);
  expect(templateOf({ spec: { peers: ["198.51.100.9"], replicas: 9 } })).toEqual(before);
  expect(templateOf({ spec: { advertise: { udp: { host: "192.0.2.2", port: 5060 } } } })).toEqual(before);
});

test("a rotation waits for a ready node without a row, and for a node that cannot reach MySQL", () => {
  const live = liveWhenSettled();
  const seen = (
    pods: FleetState["pods"],
    nodes: readonly ReturnType<typeof makeNode>[],
  ): readonly string[] => {
    const annotations = { "sip.strowger.dev/rotate-keys": "once" };
    return summarize(
      decideOn({ annotations }, { live: rotating, pods }, { database: makeDatabase({ nodes }) }).actions,
    );
  };
  const annotations = { "sip.strowger.dev/rotate-keys": "once" };
  const fleet = { live, freshKey: { id: "k2", key: Buffer.alloc(32, 2).toString("base64") } };
  const first = decideOn({ annotations }, fleet);
  expect(summarize(first.actions)).toEqual(["apply Secret pbx-keys", "recordEvent"]);
  const rotating = new Map([...live, ...liveAfter(first.actions)]);
  const hash = noteOf(
    decideOn(
      { annotations },
      { live: rotating, pods: [makePod("a")] },
      { database: makeDatabase({ nodes: [makeNode("a")] }) },
    ),
  );
  const a = makePod("a", { annotations: { "sip.strowger.dev/configuration": hash } });
  const b = { ...a, name: "b" };
  const knows = (name: string, more = {}) => makeNode(name, { configurationHash: hash, ...more });
  expect(seen([a, b], [knows("a")])).toEqual([]);
  expect(
    seen([a, b], [knows("a"), knows("b", { configurationHash: "before", sinceHeartbeat: 30_000 })]),
  ).toEqual([]);
  expect(seen([a, b], [knows("a"), knows("b")])).toEqual(
    expect.arrayContaining([
      "apply Secret pbx-keys",
      "recordEvent",
      "annotatePod Pod a",
      "annotatePod Pod b",
    ]),
  );
});

const noteOf = ({ actions }: ClusterDecision): string =>
  actions.flatMap((action) =>
    action.do === "annotatePod"
      ? [action.manifest.metadata.annotations?.["sip.strowger.dev/configuration"] ?? ""]
      : [],
  )[0] ?? "";
