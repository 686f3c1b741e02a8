import { expect, test } from "vitest";
import { describePlace, pathOf, resourceTypeOf, resourceTypes } from "./resource-type.ts";

const { SipUser, Pod, Node } = resourceTypes;

test("paths of the core group, of other groups, of all namespaces, of subresources", () => {
  expect(pathOf(Pod, { namespace: "tel", name: "a" })).toBe("/api/v1/namespaces/tel/pods/a");
  expect(pathOf(SipUser, {})).toBe("/apis/sip.strowger.dev/v1alpha1/sipusers");
  expect(pathOf(SipUser, { namespace: "tel", name: "a", subresource: "status" })).toBe(
    "/apis/sip.strowger.dev/v1alpha1/namespaces/tel/sipusers/a/status",
  );
  expect(pathOf(Node, { name: "n" })).toBe("/api/v1/nodes/n");
});

test("a name cannot leave its segment of the path", () => {
  expect(pathOf(Pod, { namespace: "tel", name: "../../nodes" })).toBe(
    "/api/v1/namespaces/tel/pods/..%2F..%2Fnodes",
  );
});

test("a missing or unexpected namespace is reported", () => {
  expect(() => pathOf(Pod, { name: "a" })).toThrow("Pod a: the namespace is missing");
  expect(() => pathOf(Node, { namespace: "tel", name: "n" })).toThrow("Node n: namespace tel was given");
});

test("an unknown type is reported", () => {
  expect(resourceTypeOf({ apiVersion: "apps/v1", kind: "Deployment" }).plural).toBe("deployments");
  expect(() => resourceTypeOf({ apiVersion: "v1", kind: "Deployment" })).toThrow("v1 Deployment");
  expect(() => resourceTypeOf({ apiVersion: "v1", kind: "constructor" })).toThrow("v1 constructor");
});

test("places for messages", () => {
  expect(describePlace(SipUser, { namespace: "tel", name: "a" })).toBe("SipUser tel/a");
  expect(describePlace(SipUser, {})).toBe("SipUser all");
  expect(describePlace(SipUser, { namespace: "tel" })).toBe("SipUser all in tel");
});
