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

test("nodes that cannot serve the database's schema are named", () => {
  const database = givenDatabase({ schema: 4, nodes: [givenNode("a"), givenNode("b", { schemaMax: 4 })] });
  const verdict = condition(done({}, {}, { database }), "DatabaseReady");
  expect(verdict).toMatchObject({ status: "False", reason: "SchemaTooNew" });
  expect(verdict?.message).toContain("(a)");
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
