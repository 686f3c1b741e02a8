import { expect, test } from "vitest";
import type { KubernetesObject } from "../../runtime/object.ts";
import { classifyChange } from "./classify-change.ts";

const before: KubernetesObject = {
  kind: "SipUser",
  metadata: { namespace: "ns", name: "a", uid: "u", generation: 1, resourceVersion: "1", finalizers: ["f"] },
  spec: {},
};

const changed = (metadata: object): string =>
  classifyChange({
    is: "updated",
    before,
    after: {
      ...before,
      status: { a: 1 },
      metadata: { ...before.metadata, resourceVersion: "2", ...metadata },
    },
  });

test("only a new status is a status change; a new generation, deletion, label, annotation or finalizer is an object change", () => {
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

test("our added finalizer is a status change; a removed one is an object change", () => {
  expect(changed({ finalizers: ["f", "sip.strowger.dev/rows"] })).toBe("status");
  expect(changed({ finalizers: ["sip.strowger.dev/rows"] })).toBe("object");
  const held = { ...before, metadata: { ...before.metadata, finalizers: ["f", "sip.strowger.dev/rows"] } };
  expect(classifyChange({ is: "updated", before: held, after: before })).toBe("object");
});

test("an added, removed or replaced object is an object change", () => {
  expect(classifyChange({ is: "added", after: before })).toBe("object");
  expect(classifyChange({ is: "removed", before })).toBe("object");
  expect(classifyChange({ is: "replaced", before, after: before })).toBe("object");
});
