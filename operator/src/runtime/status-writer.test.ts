import { expect, test } from "vitest";
import { isReady, notReady } from "./decision.ts";
import type { KubernetesObject } from "./object.ts";
import type { Source } from "./source.ts";
import { StatusWriter } from "./status-writer.ts";
import { VirtualClock } from "./virtual-clock.ts";

function given() {
  const clock = new VirtualClock();
  let status: unknown;
  const flips: string[] = [];
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
  } as unknown as Source;
  const writer = new StatusWriter(source, clock, (_object, { reason }) => flips.push(reason));
  const transition = (): string | undefined =>
    (status as { conditions: { lastTransitionTime: string }[] }).conditions[0]?.lastTransitionTime;
  return { clock, object, writer, flips, transition, status: () => status };
}

test("a status that says nothing new is not written", async () => {
  const { clock, object, writer } = given();
  expect(await writer.write(object, isReady("well"), { nodes: 2 })).toBe(true);
  clock.advance(60_000);
  expect(await writer.write(object, isReady("well"), { nodes: 2 })).toBe(false);
  expect(await writer.write(object, isReady("well"), { nodes: 3 })).toBe(true);
});

test("lastTransitionTime moves when the status flips, and only then", async () => {
  const { clock, object, writer, transition } = given();
  await writer.write(object, notReady("SecretNotFound", "no Secret"));
  const first = transition();
  clock.advance(5_000);
  await writer.write(object, notReady("DomainNotFound", "no domain"));
  expect(transition()).toBe(first);
  clock.advance(5_000);
  await writer.write(object, isReady("well"));
  expect(transition()).not.toBe(first);
});

test("the generation that was looked at is in the status and in the condition", async () => {
  const { object, writer, status } = given();
  await writer.write(object, isReady("well"));
  expect(status()).toMatchObject({
    observedGeneration: 7,
    conditions: [{ observedGeneration: 7, status: "True" }],
  });
});

test("a new reason is told once", async () => {
  const { object, writer, flips } = given();
  await writer.write(object, notReady("Conflict", "taken by a"));
  await writer.write(object, notReady("Conflict", "taken by b"));
  await writer.write(object, isReady("well"));
  expect(flips).toEqual(["Conflict", "Reconciled"]);
});

test("several verdicts are one write, and each that flips is told", async () => {
  const { object, writer, flips, status } = given();
  const database = { type: "DatabaseReady", status: "True", reason: "Connected", message: "up" } as const;
  await writer.write(object, [database, notReady("AddressPending", "no address")]);
  expect(flips).toEqual(["Connected", "AddressPending"]);
  await writer.write(object, [database, isReady("well")]);
  expect(flips).toEqual(["Connected", "AddressPending", "Reconciled"]);
  const { conditions } = status() as { conditions: { type: string; status: string }[] };
  expect(conditions.map(({ type, status }) => `${type}=${status}`)).toEqual([
    "DatabaseReady=True",
    "Ready=True",
  ]);
});
