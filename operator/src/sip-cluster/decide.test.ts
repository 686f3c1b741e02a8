import { expect, test } from "vitest";
import { decide, type ClusterDecision } from "./decide.ts";
import { findCondition } from "../../../test/support/operator/cluster-decisions.ts";
import { makeCluster, makeDatabase } from "../../../test/support/operator/cluster-fixtures.ts";
import type { SipClusterStatus } from "../sources/types.ts";
import type { DatabaseReading } from "./current-state.ts";

const inFiles = (
  database: DatabaseReading,
  annotations?: Readonly<Record<string, string>>,
  status: SipClusterStatus = {},
) =>
  decide(makeCluster({ spec: { advertise: { udp: { host: "192.0.2.1", port: 5060 } } }, annotations }), {
    now: 0,
    status,
    database,
    fleet: undefined,
  });

const ready = (decision: ClusterDecision) => findCondition(decision, "Ready");

test("a database without an owner is taken", () => {
  const decision = inFiles(makeDatabase({ holder: undefined }));
  expect(decision.actions).toEqual([{ do: "takeDatabase" }]);
  expect(ready(decision)?.status).toBe("True");
  expect(decision.status).toEqual({
    installationId: "i",
    nodes: 0,
    addresses: [{ transport: "udp", host: "192.0.2.1", port: 5060 }],
  });
});

test("its own database needs nothing, and nodes are counted again after 5 s", () => {
  expect(inFiles(makeDatabase({}))).toMatchObject({ actions: [], requeueAfter: 5_000 });
});

test("a database of another SipCluster is left to it, and its owner is named in the same namespace only", () => {
  const near = inFiles(makeDatabase({ holder: { namespace: "tel", name: "other", uid: "u2" } }));
  expect(near.actions).toEqual([]);
  expect(ready(near)).toMatchObject({ status: "False", reason: "DatabaseTaken" });
  expect(ready(near)?.message).toContain("SipCluster other");
  const far = inFiles(makeDatabase({ holder: { namespace: "elsewhere", name: "other", uid: "u2" } }));
  expect(ready(far)?.message).not.toMatch(/SipCluster other|elsewhere/);
});

test("the annotation take-over takes the named database from any owner", () => {
  const database = makeDatabase({ holder: { namespace: "elsewhere", name: "other", uid: "u2" } });
  const wrong = inFiles(database, { "sip.strowger.dev/take-over": "another" });
  expect(wrong.actions).toEqual([]);
  const right = inFiles(database, { "sip.strowger.dev/take-over": "i" });
  expect(right.actions).toMatchObject([{ do: "takeDatabase" }, { event: { reason: "DatabaseTakenOver" } }]);
});

test("the annotation take-over takes a database once: after another loss it has to be set again", () => {
  const database = makeDatabase({ holder: { namespace: "elsewhere", name: "other", uid: "u2" } });
  const had = { installationId: "i" };
  const stale = inFiles(database, { "sip.strowger.dev/take-over": "i" }, had);
  expect(stale).toMatchObject({ actions: [], status: {} });
  expect(stale.status).not.toHaveProperty("installationId");
  expect(ready(stale)?.message).toContain("remove the annotation");
  const without = inFiles(database, {}, had);
  expect(without.status).toEqual({ installationId: undefined });
});

test("the same name with a new uid takes over when the old object is gone and its leader had no heartbeat for 60 s", () => {
  const holder = { namespace: "tel", name: "pbx", uid: "before" };
  const silent = { leader: "a", age: 60_000 };
  const cases = [
    { database: { uidNow: "u1", beat: silent }, takes: true },
    { database: { uidNow: "u1", beat: { leader: "a", age: 59_999 } }, takes: false },
    { database: { uidNow: "before", beat: silent }, takes: false },
    { database: { uidNow: undefined, beat: silent }, takes: false },
    { database: { uidNow: "u1", beat: { leader: "a", age: 0 }, isLed: true }, takes: true },
  ];
  for (const { database, takes } of cases) {
    const { actions } = inFiles(makeDatabase({ holder, ...database }));
    expect(actions.length > 0, JSON.stringify(database)).toBe(takes);
  }
});

test("an unreachable database is in the condition with its cause, and is tried again", () => {
  const decision = inFiles({ kind: "away", reason: "DatabaseHostUnknown", message: "no such host" });
  expect(ready(decision)).toMatchObject({ status: "False", reason: "DatabaseHostUnknown" });
  expect(decision.requeueAfter).toBe(5_000);
});
