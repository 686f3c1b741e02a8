import { expect, test } from "vitest";
import { resourceTypes } from "../../adapters/kube/resource-type.ts";
import { identityOf, trimObject } from "./trim-object.ts";

const received = {
  metadata: {
    ...{ namespace: "tel", name: "alice", uid: "u", resourceVersion: "7" },
    labels: { team: "a" },
    managedFields: [{ manager: "kubectl" }],
  },
  spec: { username: "alice" },
};
const lastApplied = { "kubectl.kubernetes.io/last-applied-configuration": "{}" };

test("managedFields and the copy that kubectl applied last are removed, other annotations stay", () => {
  const { managedFields, ...metadata } = received.metadata;
  const kept = { apiVersion: "sip.strowger.dev/v1alpha1", kind: "SipUser", spec: received.spec };
  expect(managedFields).toHaveLength(1);
  expect(trimObject(resourceTypes.SipUser, received)).toEqual({ ...kept, metadata });
  const annotated = (annotations: object) =>
    trimObject(resourceTypes.SipUser, { ...received, metadata: { ...received.metadata, annotations } });
  expect(annotated(lastApplied)).toEqual({ ...kept, metadata });
  expect(annotated({ ...lastApplied, note: "x" })).toEqual({
    ...kept,
    metadata: { ...metadata, annotations: { note: "x" } },
  });
});

test("of an object whose version alone matters, only its identity stays", () => {
  expect(identityOf(received)).toEqual({
    metadata: { namespace: "tel", name: "alice", uid: "u", resourceVersion: "7" },
  });
});
