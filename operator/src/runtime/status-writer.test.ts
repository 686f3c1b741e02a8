import { expect, test } from "vitest";
import { ready, notReady } from "./decision.ts";
import type { KubernetesObject } from "./object.ts";
import type { Event, Source } from "./source.ts";
import { StatusWriter } from "./status-writer.ts";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";

function given(foreign = {}) {
  const clock = new VirtualClock();
  let status: unknown;
  const flips: string[] = [];
  const events: string[] = [];
  const object: KubernetesObject = {
    kind: "Thing",
    metadata: { namespace: "ns", name: "a", uid: "1", generation: 7 },
    spec: {},
  };
  const source = {
    get: () => ({ ...object, status }),
    writeStatus: (_kind: string, _key: string, written: unknown) => {
      status = written;
      return Promise.resolve();
    },
    event: (_object: KubernetesObject, { type, reason }: Event) => events.push(`${type} ${reason}`),
  } as unknown as Source;
  const writer = new StatusWriter(source, clock, (_object, { reason }) => flips.push(reason), foreign);
  const transition = (): string | undefined =>
    (status as { conditions: { lastTransitionTime: string }[] }).conditions[0]?.lastTransitionTime;
  const plant = (planted: unknown): unknown => (status = planted);
  return { clock, object, writer, flips, events, transition, plant, status: () => status };
}

test("an unchanged status is not written", async () => {
  const { clock, object, writer } = given();
  expect(await writer.write(object, [ready("well")], { nodes: 2 })).toBe(true);
  clock.advance(60_000);
  expect(await writer.write(object, [ready("well")], { nodes: 2 })).toBe(false);
  expect(await writer.write(object, [ready("well")], { nodes: 3 })).toBe(true);
});

test("lastTransitionTime changes with the status of the condition, and only then", async () => {
  const { clock, object, writer, transition } = given();
  await writer.write(object, [notReady("SecretNotFound", "no Secret")]);
  const first = transition();
  clock.advance(5_000);
  await writer.write(object, [notReady("DomainNotFound", "no domain")]);
  expect(transition()).toBe(first);
  clock.advance(5_000);
  await writer.write(object, [ready("well")]);
  expect(transition()).not.toBe(first);
});

test("the observed generation is in the status and in the condition", async () => {
  const { object, writer, status } = given();
  await writer.write(object, [ready("well")]);
  expect(status()).toMatchObject({
    observedGeneration: 7,
    conditions: [{ observedGeneration: 7, status: "True" }],
  });
});

test("a new reason is reported once", async () => {
  const { object, writer, flips } = given();
  await writer.write(object, [notReady("Conflict", "taken by a")]);
  await writer.write(object, [notReady("Conflict", "taken by b")]);
  await writer.write(object, [ready("well")]);
  expect(flips).toEqual(["Conflict", "Reconciled"]);
});

test("several conditions are one write, and each changed one is reported", async () => {
  const { object, writer, flips, status } = given();
  const database = { type: "DatabaseReady", status: "True", reason: "Connected", message: "up" } as const;
  await writer.write(object, [database, notReady("AddressPending", "no address")]);
  expect(flips).toEqual(["Connected", "AddressPending"]);
  await writer.write(object, [database, ready("well")]);
  expect(flips).toEqual(["Connected", "AddressPending", "Reconciled"]);
  const { conditions } = status() as { conditions: { type: string; status: string }[] };
  expect(conditions.map(({ type, status }) => `${type}=${status}`)).toEqual([
    "DatabaseReady=True",
    "Ready=True",
  ]);
});

test("fields of another writer are never written; our own stay when a failure adds none", async () => {
  const { object, writer, plant, status } = given({ Thing: ["registered"] });
  plant({ registered: true, nodes: 2 });
  await writer.write(object, [notReady("DatabaseUnavailable", "away")]);
  expect(status()).toMatchObject({ nodes: 2 });
  expect(status()).not.toHaveProperty("registered");
});

test("a field with the value undefined is removed", async () => {
  const { object, writer, status } = given();
  await writer.write(object, [ready("well")], { secretResourceVersion: "7" });
  await writer.write(object, [ready("well")], { secretResourceVersion: undefined });
  expect(status()).not.toHaveProperty("secretResourceVersion");
});

test("the last write takes precedence before the watch reports it", async () => {
  const { clock, object, writer, plant, transition } = given();
  await writer.write(object, [ready("well")]);
  const first = transition();
  plant({});
  clock.advance(2_000);
  expect(await writer.write(object, [ready("well")])).toBe(false);
  clock.advance(10_000);
  expect(await writer.write(object, [ready("well")])).toBe(true); // somebody took our status away
  expect(transition()).not.toBe(first);
});

test("a changed condition is an Event", async () => {
  const { object, writer, events } = given();
  await writer.write(object, [notReady("Conflict", "taken")]);
  await writer.write(object, [ready("well")]);
  expect(events).toEqual(["Warning Conflict", "Normal Reconciled"]);
});
