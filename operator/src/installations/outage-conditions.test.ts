import { expect, test } from "vitest";
import { ApiUnreachable } from "../adapters/kube/api-error.ts";
import { DatabaseUnavailable } from "../adapters/mysql/database-unavailable.ts";
import { DuplicateKey } from "../adapters/mysql/database.ts";
import { UnusableAddress } from "../adapters/mysql/failure.ts";
import type { KubernetesObject, ObjectKey } from "../runtime/object.ts";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";
import { OutageConditions } from "./outage-conditions.ts";

const away = new DatabaseUnavailable(new Error("connect 10.1.2.3"));
const cluster: ObjectKey = "ns/main";

function objectOf(reason: string | undefined): KubernetesObject {
  const conditions = [{ type: "Ready", status: "True", reason }];
  return {
    kind: "SipUser",
    metadata: { namespace: "ns", name: "alice", uid: "u", generation: 1 },
    spec: {},
    ...(reason === undefined ? {} : { status: { conditions } }),
  };
}

const served = objectOf("Reconciled");

function makeConditions() {
  const clock = new VirtualClock();
  const outages = new OutageConditions(clock);
  const reason = (object: KubernetesObject, error: unknown = away): string | undefined =>
    outages.failed(object, cluster, error)?.reason;
  return { clock, outages, reason };
}

test("for ten minutes of an outage the last condition stays; then it becomes Stale, once", () => {
  const { clock, outages, reason } = makeConditions();
  expect(reason(served)).toBeUndefined();
  clock.advance(599_999);
  expect([reason(served), reason(objectOf("Conflict"))]).toEqual([undefined, undefined]);
  clock.advance(1);
  expect(reason(objectOf("Conflict"))).toBe("Stale");
  expect(outages.failed(served, cluster, away)).toMatchObject({ type: "Ready", status: "Unknown" });
  expect(reason(objectOf("Stale"))).toBeUndefined();
});

test("the ten minutes count for the SipCluster, not for one object, and begin again after a reconcile", () => {
  const { clock, outages, reason } = makeConditions();
  reason(objectOf("Conflict"));
  clock.advance(600_000);
  expect(reason(served)).toBe("Stale");
  expect(outages.failed(served, "ns/other", away)).toBeUndefined();
  outages.ended("ns/other");
  expect(reason(served)).toBe("Stale");
  outages.ended(cluster);
  expect(reason(served)).toBeUndefined();
});

test("at most ten a second become Stale", () => {
  const { clock, reason } = makeConditions();
  reason(served);
  clock.advance(600_000);
  const said = (): number => Array.from({ length: 50 }, () => reason(served)).filter(Boolean).length;
  expect([said(), said()]).toEqual([10, 0]);
  clock.advance(1_000);
  expect(said()).toBe(10);
});

test("an object without a condition reports the outage at once", () => {
  const { reason } = makeConditions();
  expect(reason(objectOf(undefined))).toBe("DatabaseUnavailable");
});

test("every outage of the database or the API server keeps the condition; a problem of the object itself is reported", () => {
  const { reason } = makeConditions();
  expect(reason(served, new UnusableAddress("SecretNotFound", "no Secret"))).toBeUndefined();
  expect(reason(served, new UnusableAddress("DatabaseTaken", "another operator"))).toBeUndefined();
  expect(reason(served, new ApiUnreachable("GET Secret", new Error("ECONNREFUSED")))).toBeUndefined();
  expect(reason(served, new DuplicateKey(new Error("Duplicate entry")))).toBe("Conflict");
  expect(reason(served, new TypeError("a mistake"))).toBe("InternalError");
});
