import { expect, test } from "vitest";
import type { ClusterDecision } from "./decide.ts";
import { givenDatabase, givenNode, givenPod } from "./given.ts";
import { brief, condition, done, settled } from "./given-decision.ts";
import type { FleetWorld } from "./world.ts";

test("no spec.mysql is a condition, not a crash", () => {
  const decision = done({ spec: { mysql: undefined } }, {}, { database: { kind: "absent" } });
  expect(decision.actions).toEqual([]);
  expect(condition(decision, "Ready")).toMatchObject({ status: "False", reason: "MysqlMissing" });
});

test("nodes stay at their image while the spec is silent, also where the status was lost", () => {
  const fleet = { live: settled(), defaultImage: "registry.example/strowger/sip-node:9.0.0" };
  const old = "registry.example/strowger/sip-node:0.1.0";
  expect(done({}, fleet, { status: { image: old } })).toMatchObject({
    actions: [],
    status: { image: old, version: "0.1.0" },
  });
  expect(done({}, fleet)).toMatchObject({ actions: [], status: { image: old } });
  const moved = done({ spec: { version: "9.0.0" } }, fleet, { status: { image: old } });
  expect(brief(moved.actions)).toEqual(["apply Deployment pbx-nodes"]);
  expect(moved.status).toMatchObject({ image: fleet.defaultImage, version: "9.0.0" });
});

test("Ready follows the Deployment's figures of this generation, and says why a pod is missing", () => {
  const live = settled();
  const deployment = live.get("Deployment/pbx-nodes")!;
  const withStatus = (status: object, fleet: Partial<FleetWorld> = {}) => {
    const metadata = { ...deployment.metadata, generation: 4 };
    return condition(
      done(
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

test("nodes that cannot serve the database's schema are named; additive migrations ask nothing of them", () => {
  const nodes = [givenNode("a"), givenNode("b", { schemaMax: 4 })];
  const verdict = (servesFrom: number) =>
    condition(
      done(
        {},
        {},
        { database: givenDatabase({ schema: { number: 4, servesFrom, next: undefined }, nodes }) },
      ),
      "DatabaseReady",
    );
  expect(verdict(1)).toMatchObject({ status: "True", reason: "Connected" });
  expect(verdict(4)).toMatchObject({ status: "False", reason: "SchemaTooNew" });
  expect(verdict(4)?.message).toContain("nodes (a) know up to 3");
});

test("a migration waits for nodes that beat and cannot serve after it, draining ones too, and is applied when they are gone (design-kubernetes rule 9)", () => {
  const next = { label: "0005-drop", servesFrom: 4 };
  const decision = (sinceBeat: number, isLed = true) =>
    done(
      {},
      {},
      {
        database: givenDatabase({
          isLed,
          schema: { number: 4, servesFrom: 1, next },
          nodes: [givenNode("old", { sinceBeat, isDraining: true }), givenNode("new", { schemaMax: 5 })],
        }),
      },
    );
  const waits = condition(decision(9_999), "DatabaseReady");
  expect(waits).toMatchObject({ status: "True", reason: "MigrationWaits" });
  expect(waits?.message).toMatch(/0005-drop waits until every node knows schema 4; older: old\./);
  const migrates = ({ actions }: ClusterDecision) =>
    actions.some((action) => action.do === "migrateDatabase");
  expect([decision(9_999), decision(10_000), decision(10_000, false)].map(migrates)).toEqual([
    false,
    true,
    false,
  ]);
});

test("nodes that go by an earlier configuration are named, those that state none are not", () => {
  const nodes = [givenNode("old", { configurationHash: "before" }), givenNode("mute")];
  const decision = done({}, { live: settled() }, { database: givenDatabase({ nodes }) });
  expect(decision.ready.message).toMatch(/old goes by an earlier configuration/);
  expect(decision.ready.message).not.toContain("mute");
});

test("an operator that has just begun leaves what was found before", () => {
  const types = ({ others }: ClusterDecision) => others.map(({ type, reason }) => `${type} ${reason}`);
  expect(types(done({}, {}))).toEqual(
    expect.arrayContaining(["Answering NotAskedYet", "TrafficOnOneNode NotWatchedYet"]),
  );
  const said = {
    reason: "Answered",
    message: "",
    lastTransitionTime: "2026-01-01T00:00:00Z",
    status: "True",
  } as const;
  const status = { conditions: ["Answering", "TrafficOnOneNode"].map((type) => ({ ...said, type })) };
  expect(types(done({}, {}, { status })).join()).not.toMatch(/Answering|TrafficOnOneNode/);
});

test("who did not answer OPTIONS is named; without a ready node nobody answers", () => {
  const probe = {
    at: 0,
    answers: [
      { name: "a", status: 200 },
      { name: "b", status: undefined },
    ],
  };
  const answering = (fleet: Partial<FleetWorld>) => condition(done({}, fleet), "Answering");
  expect(answering({ probe, pods: [givenPod("a")] })).toMatchObject({ status: "False", reason: "NoAnswer" });
  expect(answering({ probe, pods: [givenPod("a")] })?.message).toMatch(/from b;/);
  const all = { at: 0, answers: [{ name: "a", status: 200 }] };
  expect(answering({ probe: all, pods: [givenPod("a")] })).toMatchObject({ status: "True" });
  expect(answering({ probe: all, pods: [givenPod("a", { isReady: false })] })).toMatchObject({
    reason: "NoReadyNode",
  });
});
