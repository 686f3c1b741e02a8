import { expect, test } from "vitest";
import type { Manifest } from "../runtime/manifests.ts";
import { makeCluster } from "../../../test/support/operator/cluster-fixtures.ts";
import { buildKeys } from "./manifests/build-keys.ts";
import { longestDialog } from "./plan-addresses.ts";
import { planKeys, type KeyPlan, type KeysInput, type RingKey } from "./plan-keys.ts";

const key = (id: string) => ({ id, key: Buffer.alloc(32, id).toString("base64") });
const now = 1_000_000_000;

const input = (more: Partial<KeysInput>): KeysInput => ({
  secret: undefined,
  rotation: undefined,
  fresh: key("new"),
  areNodesLive: false,
  haveAllApplied: false,
  now,
  ...more,
});

const secretOf = (keys: readonly RingKey[], served?: string): Manifest =>
  buildKeys(makeCluster(), JSON.stringify({ keys }), served);

const ringOf = (plan: KeyPlan): readonly RingKey[] =>
  "ring" in plan ? (JSON.parse(plan.ring) as { keys: RingKey[] }).keys : [];

const old: RingKey = { ...key("old"), verifyFrom: 0, signFrom: 0 };

test("a ring is created once, and signs at once; an annotation that exists then requests nothing more", () => {
  const plan = planKeys(input({ rotation: "2026" }));
  expect(plan).toMatchObject({ kind: "create", rotation: "2026" });
  expect(ringOf(plan)).toEqual([{ ...key("new"), verifyFrom: 0, signFrom: 0 }]);
});

test("a missing ring is never created again while nodes live", () => {
  expect(planKeys(input({ areNodesLive: true }))).toEqual({ kind: "missing" });
});

test.each([
  ["no key", { data: {} }],
  ["no JSON", { data: { "keys.json": Buffer.from("{").toString("base64") } }],
  ["no keys", { data: { "keys.json": Buffer.from('{"keys":[]}').toString("base64") } }],
  ["null", { data: { "keys.json": Buffer.from("null").toString("base64") } }],
  ["a short key", { data: secretOf([{ ...old, key: "c2hvcnQ=" }])["data"] }],
])("an invalid ring is reported and stays: %s", (_what, data) => {
  expect(planKeys(input({ secret: { ...secretOf([old]), ...data } })).kind).toBe("broken");
});

test("design-sip rule 18: a rotation has three steps, each after all nodes applied the step before", () => {
  let secret = secretOf([old], "first");
  const rotation = "second";
  const step = (haveAllApplied: boolean, at = now): KeyPlan => {
    const plan = planKeys(input({ secret, rotation, haveAllApplied, now: at }));
    if (plan.kind === "write") secret = buildKeys(makeCluster(), plan.ring, plan.rotation);
    return plan;
  };
  const first = step(false);
  expect(first).toMatchObject({ kind: "write", rotation: "second" });
  const [, waiting] = ringOf(first);
  expect(waiting).toMatchObject({ id: "new", verifyFrom: 0, signFrom: Number.MAX_SAFE_INTEGER });
  expect(step(false)).toMatchObject({ kind: "keep", isRotating: true });

  const second = step(true);
  expect(ringOf(second)).toEqual([old, { ...key("new"), verifyFrom: 0, signFrom: now }]);
  expect(step(false)).toMatchObject({ kind: "keep", isRotating: true });

  const third = step(true);
  expect(ringOf(third)[0]).toEqual({ ...old, dropAfter: now + longestDialog });
  expect(step(true)).toMatchObject({ kind: "keep", isRotating: false });

  const end = step(true, now + longestDialog + 1);
  expect(ringOf(end).map(({ id }) => id)).toEqual(["new"]);
  expect(step(true, now + longestDialog + 2)).toMatchObject({ kind: "keep", isRotating: false });
});

test("a rotation that is requested during another rotation waits for its end", () => {
  const waiting = { ...key("mid"), verifyFrom: 0, signFrom: Number.MAX_SAFE_INTEGER };
  const plan = planKeys(
    input({ secret: secretOf([old, waiting], "first"), rotation: "second", haveAllApplied: true }),
  );
  expect(plan).toMatchObject({ kind: "write", rotation: "first" });
  expect(ringOf(plan).map(({ id }) => id)).toEqual(["old", "mid"]);
});
