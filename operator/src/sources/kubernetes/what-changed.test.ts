import { expect, test } from "vitest";
import type { KubernetesObject } from "../../runtime/object.ts";
import { whatChanged } from "./what-changed.ts";

const before: KubernetesObject = {
  kind: "SipUser",
  metadata: { namespace: "ns", name: "a", uid: "u", generation: 1, resourceVersion: "1", finalizers: ["f"] },
  spec: {},
};

const changed = (metadata: object): string =>
  whatChanged({
    is: "updated",
    before,
    after: {
      ...before,
      status: { a: 1 },
      metadata: { ...before.metadata, resourceVersion: "2", ...metadata },
    },
  });

test("a new status alone is a status; a new generation, deletion, label, annotation or finalizer is not", () => {
  expect(changed({})).toBe("status");
  const others = [
    { generation: 2 },
    { deletionTimestamp: "2026-01-01T00:00:00Z" },
    { labels: { a: "b" } },
    { annotations: { "sip.strowger.dev/paused": "true" } },
    { finalizers: [] },
  ];
  expect(others.map(changed)).toEqual(others.map(() => "object"));
});

test("our own finalizer that was put on is our own doing; one that somebody took off is not", () => {
  expect(changed({ finalizers: ["f", "sip.strowger.dev/rows"] })).toBe("status");
  expect(changed({ finalizers: ["sip.strowger.dev/rows"] })).toBe("object");
  const held = { ...before, metadata: { ...before.metadata, finalizers: ["f", "sip.strowger.dev/rows"] } };
  expect(whatChanged({ is: "updated", before: held, after: before })).toBe("object");
});

test("what came, went or was made anew is an object", () => {
  expect(whatChanged({ is: "added", after: before })).toBe("object");
  expect(whatChanged({ is: "removed", before })).toBe("object");
  expect(whatChanged({ is: "replaced", before, after: before })).toBe("object");
});
