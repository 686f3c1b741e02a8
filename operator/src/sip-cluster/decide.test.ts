import { expect, test } from "vitest";
import { decide } from "./decide.ts";
import { parseSipCluster } from "./resource.ts";

const cluster = parseSipCluster({
  kind: "SipCluster",
  metadata: { namespace: "ns", name: "c", uid: "u1", generation: 1 },
  spec: { replicas: 2, advertise: { udp: { host: "192.0.2.1", port: 5060 } } },
});
const world = { installationId: "i", holder: undefined, liveNodes: 2 };

test("a database that belongs to nobody is taken", () => {
  const { actions, ready, status } = decide(cluster, world);
  expect(actions).toEqual([{ do: "takeDatabase" }]);
  expect(ready.status).toBe("True");
  expect(status).toEqual({
    installationId: "i",
    nodes: 2,
    addresses: [{ transport: "udp", host: "192.0.2.1", port: 5060 }],
  });
});

test("its own database needs nothing, and nodes are counted again after 5 s", () => {
  const holder = { namespace: "ns", name: "c", uid: "u1" };
  expect(decide(cluster, { ...world, holder })).toMatchObject({ actions: [], requeueAfter: 5_000 });
});

test("a database of another SipCluster is left to it, and its owner is named in the same namespace only", () => {
  const near = decide(cluster, { ...world, holder: { namespace: "ns", name: "other", uid: "u2" } });
  expect(near).toMatchObject({ actions: [], ready: { reason: "DatabaseTaken" } });
  expect(near.ready.message).toContain("SipCluster other");
  const far = decide(cluster, { ...world, holder: { namespace: "elsewhere", name: "other", uid: "u2" } });
  expect(far.ready.message).not.toMatch(/SipCluster other|elsewhere/);
});
