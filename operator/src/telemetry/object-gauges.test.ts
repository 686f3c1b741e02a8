import { Registry } from "prom-client";
import { expect, test } from "vitest";
import type { KubernetesObject } from "../runtime/object.ts";
import { ObjectGauges } from "./object-gauges.ts";

const ready = (status: string, reason: string) => ({ type: "Ready", status, reason });
const cluster = (readyNodes: number | undefined): KubernetesObject => ({
  kind: "SipCluster",
  metadata: { namespace: "tel", name: "pbx", uid: "c", generation: 1 },
  spec: { replicas: 2 },
  status: { readyNodes, conditions: [ready("False", "NodesNotReady")] },
});
const user: KubernetesObject = {
  kind: "SipUser",
  metadata: { namespace: "tel", name: "alice", uid: "u", generation: 1 },
  spec: {},
  status: { conditions: [ready("False", "Conflict")] },
};

/** The series of our gauges, one line each, without the comments. */
async function scrape(registry: Registry): Promise<readonly string[]> {
  const text = await registry.metrics();
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

test("a scrape shows the present state of the objects", async () => {
  const registry = new Registry();
  const gauges = new ObjectGauges(registry);
  expect(await scrape(registry)).toEqual(["strowger_condition_omitted 0"]);
  let objects: readonly KubernetesObject[] = [cluster(undefined), user];
  gauges.watch((kind) => objects.filter((object) => object.kind === kind));
  expect(await scrape(registry)).toEqual([
    'strowger_condition{kind="SipCluster",namespace="tel",name="pbx",type="Ready",status="False"} 1',
    'strowger_condition{kind="SipUser",namespace="tel",name="alice",type="Ready",status="False"} 1',
    'strowger_condition_objects{kind="SipCluster",type="Ready",status="False",reason="NodesNotReady"} 1',
    'strowger_condition_objects{kind="SipUser",type="Ready",status="False",reason="Conflict"} 1',
    "strowger_condition_omitted 0",
    'strowger_cluster_replicas{namespace="tel",name="pbx"} 2',
    'strowger_cluster_ready_nodes{namespace="tel",name="pbx"} 0',
  ]);
  objects = [cluster(2)];
  expect(await scrape(registry)).toEqual([
    'strowger_condition{kind="SipCluster",namespace="tel",name="pbx",type="Ready",status="False"} 1',
    'strowger_condition_objects{kind="SipCluster",type="Ready",status="False",reason="NodesNotReady"} 1',
    "strowger_condition_omitted 0",
    'strowger_cluster_replicas{namespace="tel",name="pbx"} 2',
    'strowger_cluster_ready_nodes{namespace="tel",name="pbx"} 2',
  ]);
});
