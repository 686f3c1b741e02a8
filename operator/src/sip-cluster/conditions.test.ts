import { expect, test } from "vitest";
import type { ClusterDecision } from "./decide.ts";
import { makeDatabase, makeNode, makePod } from "../../../test/support/operator/cluster-fixtures.ts";
import type { Manifest } from "../runtime/manifests.ts";
import {
  liveAfter,
  summarize,
  findCondition,
  decideOn,
  liveWhenSettled,
} from "../../../test/support/operator/cluster-decisions.ts";
import type { FleetState } from "./current-state.ts";

test("no spec.mysql is a condition, not a crash", () => {
  const decision = decideOn({ spec: { mysql: undefined } }, {}, { database: { kind: "absent" } });
  expect(decision.actions).toEqual([]);
  expect(findCondition(decision, "Ready")).toMatchObject({ status: "False", reason: "MysqlMissing" });
});

const [typo, old, next] = [
  "typo.example/sip-node:0.1.0",
  "r.example/sip-node:0.1.0",
  "r.example/sip-node:9.0.0",
];
const remembered = (image: string) => ({ status: { image, version: "0.1.0" } });

/** What the operator made before, of which `more` (status of the Deployment) is visible. */
function deployed(image: string, more: object): FleetState["live"] {
  const live = liveWhenSettled({ spec: { image } });
  const deployment = live.get("Deployment/pbx-nodes")!;
  const status = { observedGeneration: 1, ...more };
  return live.set("Deployment/pbx-nodes", {
    ...deployment,
    metadata: { ...deployment.metadata, generation: 1 },
    status,
  } as Manifest);
}
const serving = { replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
const image = (decision: ClusterDecision): string | undefined => {
  const written = liveAfter(decision.actions).get("Deployment/pbx-nodes") as unknown as
    | {
        readonly spec: {
          readonly template: { readonly spec: { readonly containers: readonly { image: string }[] } };
        };
      }
    | undefined;
  return written?.spec.template.spec.containers[0]?.image;
};

test("without an image in the spec nodes keep the image that they served with, also after the status was lost", () => {
  const fleet = { live: deployed(old, serving), defaultImage: next };
  for (const state of [remembered(old), {}])
    expect(decideOn({}, fleet, state)).toMatchObject({
      actions: [],
      status: { image: old, version: "0.1.0" },
    });
  const stopped = { live: deployed(old, { replicas: 0 }), defaultImage: next };
  expect(decideOn({}, stopped, remembered(old))).toMatchObject({ actions: [], status: { image: old } });
});

test("an image that no node served with is not recorded: a corrected default, a removed pin", () => {
  const never = { live: deployed(typo, { replicas: 2, updatedReplicas: 2, availableReplicas: 0 }) };
  const first = decideOn({}, { ...never, defaultImage: typo });
  expect(first.actions).toEqual([]);
  expect(first.status.image).toBeUndefined();
  expect(first.status.version).toBeUndefined();
  expect(image(decideOn({}, { ...never, defaultImage: old }))).toBe(old);
  // Three pods: two of the image before, which serve, and one that does not get on.
  const pinned = deployed(typo, { replicas: 3, updatedReplicas: 1, availableReplicas: 2 });
  const during = decideOn({ spec: { image: typo } }, { live: pinned, defaultImage: next }, remembered(old));
  expect(during).toMatchObject({ actions: [], status: { image: old, version: "0.1.0" } });
  expect(image(decideOn({}, { live: pinned, defaultImage: next }, remembered(old)))).toBe(old);
});

test("an image is recorded as soon as one node serves with it, and not before its Deployment was observed", () => {
  const status = { replicas: 3, updatedReplicas: 1, availableReplicas: 3 };
  const spec = { image: next };
  const said = (more: object) => decideOn({ spec }, { live: deployed(next, more) }, remembered(old)).status;
  expect(said(status)).toMatchObject({ image: next, version: "9.0.0" });
  expect(said({ ...status, availableReplicas: 2 })).toMatchObject({ image: old });
  expect(said({ ...status, observedGeneration: 0 })).toMatchObject({ image: old });
});

test("another image in the spec is rolled out, and the status follows when nodes serve with it", () => {
  const fleet = { live: deployed(old, serving), defaultImage: next };
  const moved = decideOn({ spec: { version: "9.0.0" } }, fleet, remembered(old));
  expect(summarize(moved.actions)).toEqual(["apply Deployment pbx-nodes"]);
  expect(image(moved)).toBe(next);
  expect(moved.status).toMatchObject({ image: old });
});

test("Ready follows the Deployment's status of this generation, with the reason of a missing pod", () => {
  const live = liveWhenSettled();
  const deployment = live.get("Deployment/pbx-nodes")!;
  const withStatus = (status: object, fleet: Partial<FleetState> = {}) => {
    const metadata = { ...deployment.metadata, generation: 4 };
    return findCondition(
      decideOn(
        {},
        { live: new Map(live).set("Deployment/pbx-nodes", { ...deployment, metadata, status }), ...fleet },
      ),
      "Ready",
    );
  };
  expect(withStatus({ observedGeneration: 4, availableReplicas: 2, updatedReplicas: 2 })?.status).toBe(
    "True",
  );
  expect(withStatus({ observedGeneration: 3, availableReplicas: 2 })?.status).toBe("False");
  expect(withStatus({ observedGeneration: 4, availableReplicas: 1 })?.message).toContain("1 of 2");
  const quota = { type: "ReplicaFailure", status: "True", message: "exceeded quota" };
  expect(withStatus({ observedGeneration: 4, conditions: [quota] })?.message).toContain("exceeded quota");
  expect(withStatus({}, { hasCredentials: false })?.message).toContain("mysql-nodes");
});

test("nodes that cannot serve the database's schema are named; additive migrations need no newer nodes", () => {
  const nodes = [makeNode("a"), makeNode("b", { schemaMax: 4 })];
  const verdict = (servesFrom: number) =>
    findCondition(
      decideOn(
        {},
        {},
        { database: makeDatabase({ schema: { number: 4, servesFrom, next: undefined }, nodes }) },
      ),
      "DatabaseReady",
    );
  expect(verdict(1)).toMatchObject({ status: "True", reason: "Connected" });
  expect(verdict(4)).toMatchObject({ status: "False", reason: "SchemaTooNew" });
  expect(verdict(4)?.message).toContain("nodes (a) know up to 3");
});

test("a migration waits for live nodes that cannot serve after it, draining ones too, and is applied when they are gone (design-kubernetes rule 9)", () => {
  const next = { label: "0005-drop", servesFrom: 4 };
  const decision = (sinceHeartbeat: number, isLed = true) =>
    decideOn(
      {},
      {},
      {
        database: makeDatabase({
          isLed,
          schema: { number: 4, servesFrom: 1, next },
          nodes: [makeNode("old", { sinceHeartbeat, isDraining: true }), makeNode("new", { schemaMax: 5 })],
        }),
      },
    );
  const waits = findCondition(decision(9_999), "DatabaseReady");
  expect(waits).toMatchObject({ status: "True", reason: "MigrationWaits" });
  expect(waits?.message).toMatch(/0005-drop waits until every node knows schema 4; outdated nodes: old\./);
  const migrates = ({ actions }: ClusterDecision) =>
    actions.some((action) => action.do === "migrateDatabase");
  expect([decision(9_999), decision(10_000), decision(10_000, false)].map(migrates)).toEqual([
    false,
    true,
    false,
  ]);
});

test("nodes with an earlier configuration are named, nodes that report none are not", () => {
  const nodes = [makeNode("old", { configurationHash: "before" }), makeNode("mute")];
  const decision = decideOn({}, { live: liveWhenSettled() }, { database: makeDatabase({ nodes }) });
  expect(findCondition(decision, "Ready")?.message).toMatch(/old still uses an earlier configuration/);
  expect(findCondition(decision, "Ready")?.message).not.toContain("mute");
});

test("an operator that has just started keeps earlier conditions", () => {
  const types = ({ conditions }: ClusterDecision) =>
    conditions.map(({ type, reason }) => `${type} ${reason}`);
  expect(types(decideOn({}, {}))).toEqual(
    expect.arrayContaining(["Answering NotAskedYet", "TrafficOnOneNode NotWatchedYet"]),
  );
  const said = {
    reason: "Answered",
    message: "",
    lastTransitionTime: "2026-01-01T00:00:00Z",
    status: "True",
  } as const;
  const status = { conditions: ["Answering", "TrafficOnOneNode"].map((type) => ({ ...said, type })) };
  expect(types(decideOn({}, {}, { status })).join()).not.toMatch(/Answering|TrafficOnOneNode/);
});

test("targets without an answer to OPTIONS are named; without a ready node the reason is NoReadyNode", () => {
  const probe = {
    at: 0,
    answers: [
      { name: "a", status: 200 },
      { name: "b", status: undefined },
    ],
  };
  const answering = (fleet: Partial<FleetState>) => findCondition(decideOn({}, fleet), "Answering");
  expect(answering({ probe, pods: [makePod("a")] })).toMatchObject({ status: "False", reason: "NoAnswer" });
  expect(answering({ probe, pods: [makePod("a")] })?.message).toMatch(/from b;/);
  const all = { at: 0, answers: [{ name: "a", status: 200 }] };
  expect(answering({ probe: all, pods: [makePod("a")] })).toMatchObject({ status: "True" });
  expect(answering({ probe: all, pods: [makePod("a", { isReady: false })] })).toMatchObject({
    reason: "NoReadyNode",
  });
});

test("a refused login is not Ready while open connections continue, and the message names the cause", () => {
  const failure = { reason: "DatabaseAccessDenied", message: "Access denied; check the user" } as const;
  const decision = decideOn({}, {}, { database: makeDatabase({ login: { operator: failure } }) });
  expect(findCondition(decision, "DatabaseReady")).toMatchObject({
    status: "False",
    reason: "DatabaseAccessDenied",
    message: "Access denied; check the user; open connections continue",
  });
  expect(findCondition(decision, "Ready")).toMatchObject({ status: "False", reason: "DatabaseAccessDenied" });
  // The nodes' login as the operator tried it is a cause, and no verdict: it may be good from where they are.
  const nodes = { login: { nodes: failure } };
  const tried = decideOn({}, { live: liveWhenSettled() }, { database: makeDatabase(nodes) });
  expect(findCondition(tried, "DatabaseReady")).toMatchObject({ reason: "Connected" });
  expect(findCondition(tried, "Ready")).toMatchObject({
    reason: "NodesNotReady",
    message:
      "0 of 2 nodes serve; the login in Secret mysql-nodes, which nodes mount: Access denied; check the user",
  });
});

test("nodes that cannot open new connections are named with their error; dead nodes are not", () => {
  const denied = { databaseError: "Access denied for user 'sip'" };
  const nodes = [
    makeNode("a", denied),
    makeNode("b"),
    makeNode("dead", { ...denied, sinceHeartbeat: 4_000 }),
  ];
  expect(
    findCondition(decideOn({}, {}, { database: makeDatabase({ nodes }) }), "DatabaseReady"),
  ).toMatchObject({
    status: "False",
    reason: "NodesDatabaseError",
    message:
      "nodes (a) cannot open new connections: Access denied for user 'sip'; open connections continue; check Secret mysql-nodes, which they mount",
  });
});

test("a replaced database is a Warning once, and a reason while the notice lasts", () => {
  const database = makeDatabase({ installationId: "i2", replaced: "emptied or replaced" });
  const reason = { status: "True", reason: "DatabaseReplaced", message: "emptied or replaced" };
  const event = { type: "Warning", reason: "DatabaseReplaced", message: "emptied or replaced" };
  const first = decideOn({}, { live: liveWhenSettled() }, { database, status: { installationId: "i" } });
  expect(first.actions).toEqual([{ do: "recordEvent", event }]);
  expect(first.status).toMatchObject({ installationId: "i2" });
  expect(findCondition(first, "DatabaseReady")).toMatchObject(reason);
  const later = decideOn({}, { live: liveWhenSettled() }, { database, status: { installationId: "i2" } });
  expect(later.actions).toEqual([]);
  expect(findCondition(later, "DatabaseReady")).toMatchObject(reason);
});
