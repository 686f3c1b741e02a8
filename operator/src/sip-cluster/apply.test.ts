import { expect, test } from "vitest";
import type { Installation } from "../adapters/mysql/installation.ts";
import type { Manifest, Manifests } from "../runtime/manifests.ts";
import type { Source } from "../runtime/source.ts";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";
import { apply } from "./apply.ts";
import type { ClusterAction } from "./decide.ts";
import { makeClusterObject } from "../../../test/support/operator/cluster-fixtures.ts";
import { LiveObjects } from "./live-objects.ts";
import { parseSipCluster } from "./resource.ts";

const pod = (uid: string): Manifest => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "tel", name: "a", uid },
});

/** Applies the actions where the API server refuses each apply, and `found` is what it has under the name. */
async function refused(actions: readonly ClusterAction[], found: Manifest | undefined): Promise<string[]> {
  const calls: string[] = [];
  const manifests = {
    apply: ({ kind, metadata: { name } }: Manifest) => {
      calls.push(`apply ${kind} ${name}`);
      return Promise.reject(new Error("refused"));
    },
    create: ({ kind, metadata: { name } }: Manifest) =>
      Promise.resolve(calls.push(`create ${kind} ${name}`) > 0),
    remove: (_type: unknown, key: string, uid: string) =>
      Promise.resolve(void calls.push(`remove ${key} ${uid}`)),
    read: () => Promise.resolve(found),
  } as unknown as Manifests;
  const installation = {
    write: () => Promise.resolve(void calls.push("write")),
  } as unknown as Installation;
  const source = {
    event: (_object: unknown, { reason }: { readonly reason: string }) => calls.push(`event ${reason}`),
  } as unknown as Source;
  const object = makeClusterObject();
  await apply(
    actions,
    { object, cluster: parseSipCluster(object), installation },
    { source, fleet: { manifests, live: new LiveObjects(manifests, new VirtualClock()) } as never },
  );
  return calls;
}

const note: ClusterAction = { do: "annotatePod", manifest: pod("u1") };

test("an annotation for a pod that is gone or was replaced is dropped", async () => {
  expect(await refused([note], undefined)).toEqual(["apply Pod a"]);
  expect(await refused([note], pod("u2"))).toEqual(["apply Pod a"]);
});

test("an annotation that the API server refuses for an existing pod is an error", async () => {
  await expect(refused([note], pod("u1"))).rejects.toThrow("refused");
});

test("each action is carried out by itself, in the order of the decision", async () => {
  const actions: readonly ClusterAction[] = [
    { do: "takeDatabase" },
    { do: "recordEvent", event: { type: "Normal", reason: "DatabaseTakenOver", message: "m" } },
    { do: "create", manifest: pod("u1") },
    { do: "remove", manifest: pod("u1") },
    { do: "releaseDatabase" },
  ];
  expect(await refused(actions, undefined)).toEqual([
    "write",
    "event DatabaseTakenOver",
    "create Pod a",
    "remove tel/a u1",
    "write",
  ]);
});
