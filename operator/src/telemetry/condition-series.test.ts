import { expect, test } from "vitest";
import type { KubernetesObject } from "../runtime/object.ts";
import { conditionSeries } from "./condition-series.ts";

type Stated = readonly [type: string, status: string, reason: string];

const makeObject = (kind: string, name: string, ...conditions: readonly Stated[]): KubernetesObject => ({
  kind,
  metadata: { namespace: "tel", name, uid: name, generation: 1 },
  spec: {},
  status: { conditions: conditions.map(([type, status, reason]) => ({ type, status, reason })) },
});

test("every condition of a SipCluster is listed, and Ready of other objects only while it is not True", () => {
  const { conditions, omitted } = conditionSeries([
    makeObject(
      "SipCluster",
      "pbx",
      ["Ready", "True", "Reconciled"],
      ["Reachable", "Unknown", "RangesUnknown"],
    ),
    makeObject(
      "SipDomain",
      "good",
      ["Ready", "True", "Reconciled"],
      ["Paused", "True", "PausedByAnnotation"],
    ),
    makeObject("SipUser", "bad", ["Ready", "False", "Conflict"]),
  ]);
  const namespace = "tel";
  expect(conditions).toEqual([
    { kind: "SipCluster", namespace, name: "pbx", type: "Ready", status: "True" },
    { kind: "SipCluster", namespace, name: "pbx", type: "Reachable", status: "Unknown" },
    { kind: "SipUser", namespace, name: "bad", type: "Ready", status: "False" },
  ]);
  expect(omitted).toBe(0);
});

test("an object without a status is not Ready", () => {
  const { conditions, counts } = conditionSeries([
    { kind: "SipUser", metadata: { namespace: "tel", name: "new", uid: "u", generation: 1 }, spec: {} },
  ]);
  expect(conditions).toMatchObject([{ name: "new", type: "Ready", status: "Unknown" }]);
  expect(counts).toEqual([
    { labels: { kind: "SipUser", type: "Ready", status: "Unknown", reason: "" }, count: 1 },
  ]);
});

test("the limit omits the last series and counts them; all conditions are counted", () => {
  const users = Array.from({ length: 20_000 }, (_, i) =>
    makeObject("SipUser", `user-${i}`, ["Ready", "False", i % 2 === 0 ? "Conflict" : "DomainNotReady"]),
  );
  const { conditions, counts, omitted } = conditionSeries(
    [makeObject("SipCluster", "pbx", ["Ready", "True", "Reconciled"]), ...users],
    100,
  );
  expect(conditions).toHaveLength(100);
  expect(conditions[0]).toMatchObject({ kind: "SipCluster" });
  expect(omitted).toBe(20_001 - 100);
  expect(counts.map(({ labels: { kind, reason }, count }) => [kind, reason, count])).toEqual([
    ["SipCluster", "Reconciled", 1],
    ["SipUser", "Conflict", 10_000],
    ["SipUser", "DomainNotReady", 10_000],
  ]);
});
