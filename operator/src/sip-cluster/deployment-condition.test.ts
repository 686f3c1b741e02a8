import { expect, test } from "vitest";
import type { Manifest } from "../runtime/manifests.ts";
import { makeNode, makePod } from "../../../test/support/operator/cluster-fixtures.ts";
import { buildDeploymentCondition, type DeploymentInput } from "./deployment-condition.ts";
import type { SipCluster } from "./resource.ts";

const quiet: DeploymentInput = {
  ...{ hasCredentials: true, pods: [], nodes: [], nodesLogin: undefined, image: "sip-node:2" },
};
const cluster = { replicas: 3, mysql: { credentialsSecret: "mysql-nodes" } } as SipCluster;
const judge = (status: object, more: Partial<DeploymentInput> = {}) =>
  buildDeploymentCondition(
    cluster,
    { metadata: { generation: 2 }, status: { observedGeneration: 2, ...status } } as unknown as Manifest,
    { ...quiet, ...more },
  );
const waiting = (name: string, text: string, isLasting = true) =>
  makePod(name, { isReady: false, problem: { text, isLasting } });
const stuck = [
  { type: "Progressing", status: "False", message: "ReplicaSet has timed out progressing" },
] as const;

test("all nodes serve: a rollout is under way while there are additional or older pods", () => {
  const serving = { availableReplicas: 3, updatedReplicas: 3, replicas: 3 };
  expect(judge(serving).message).toBe("3 of 3 nodes serve");
  expect(judge({ ...serving, replicas: 4 }).message).toContain("a rollout of sip-node:2 is under way");
  expect(judge({ ...serving, updatedReplicas: 1, replicas: 4 })).toMatchObject({ status: "True" });
});

test("a rollout that is stuck is not Ready, although the older nodes serve", () => {
  const status = { availableReplicas: 3, updatedReplicas: 1, replicas: 4, conditions: stuck };
  expect(judge(status)).toMatchObject({ status: "False", reason: "RolloutStuck" });
  expect(judge(status).message).toContain("timed out progressing");
});

test("too few nodes serve, and why", () => {
  expect(judge({ availableReplicas: 1, conditions: stuck })).toMatchObject({
    reason: "NodesNotReady",
    message: "1 of 3 nodes serve; ReplicaSet has timed out progressing",
  });
  expect(judge({ observedGeneration: 1, availableReplicas: 3 })).toMatchObject({ status: "False" });
});

test("the cause is from the pods, each text once with the number of pods", () => {
  const pods = [
    waiting("a", "ImagePullBackOff: not found"),
    waiting("b", "ImagePullBackOff: not found"),
    waiting("c", "Unschedulable: 0/3 nodes are available", false),
    waiting("d", "CrashLoopBackOff: out of memory"),
    makePod("serves"),
  ];
  expect(judge({ availableReplicas: 1 }, { pods }).message).toBe(
    "1 of 3 nodes serve; pod a and 1 more: ImagePullBackOff: not found; pod c: Unschedulable: 0/3 nodes are available",
  );
  const leaving = [{ ...waiting("a", "CrashLoopBackOff"), isTerminating: true }];
  expect(judge({ availableReplicas: 1 }, { pods: leaving }).message).toBe("1 of 3 nodes serve");
});

test("the database error of a node that is not ready is a cause, and so is a refused login of the nodes", () => {
  const nodes = [
    makeNode("a", { databaseError: "Access denied" }),
    makeNode("ready", { databaseError: "too many connections" }),
  ];
  const pods = [makePod("a", { isReady: false }), makePod("ready")];
  expect(judge({}, { pods, nodes, nodesLogin: "the login in Secret mysql-nodes" }).message).toBe(
    "0 of 3 nodes serve; pod a: Access denied; the login in Secret mysql-nodes",
  );
  expect(judge({}, { pods, nodes, hasCredentials: false }).message).toBe(
    "0 of 3 nodes serve; Secret mysql-nodes, which spec.mysql names and nodes mount, does not exist",
  );
});

test("a rollout that cannot continue by itself is stuck at once; another one is reported with its image", () => {
  const status = { availableReplicas: 3, updatedReplicas: 1, replicas: 4 };
  expect(judge(status, { pods: [waiting("new", "ImagePullBackOff: not found")] })).toMatchObject({
    reason: "RolloutStuck",
    message: "3 of 3 nodes serve, but new nodes do not become ready: pod new: ImagePullBackOff: not found",
  });
  expect(judge(status, { pods: [waiting("new", "Unschedulable: no room", false)] })).toMatchObject({
    status: "True",
    message: "3 of 3 nodes serve; a rollout of sip-node:2 is under way; pod new: Unschedulable: no room",
  });
});
