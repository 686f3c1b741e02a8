import { expect, test } from "vitest";
import type { Manifest } from "../runtime/manifests.ts";
import { judgeDeployment } from "./judge-deployment.ts";
import type { SipCluster } from "./resource.ts";

const judge = (status: object) =>
  judgeDeployment(
    { replicas: 3 } as SipCluster,
    { metadata: { generation: 2 }, status: { observedGeneration: 2, ...status } } as unknown as Manifest,
    { hasCredentials: true },
  );
const stuck = [
  { type: "Progressing", status: "False", message: "ReplicaSet has timed out progressing" },
] as const;

test("all nodes serve: with a rollout under way while there are more pods than wanted, or older ones", () => {
  const serving = { availableReplicas: 3, updatedReplicas: 3, replicas: 3 };
  expect(judge(serving).message).toBe("3 of 3 nodes serve");
  expect(judge({ ...serving, replicas: 4 }).message).toContain("rollout is under way");
  expect(judge({ ...serving, updatedReplicas: 1, replicas: 4 })).toMatchObject({ status: "True" });
});

test("a rollout that does not get on is no readiness, although the older nodes serve", () => {
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
