import { expect, test } from "vitest";
import type { KubernetesObject } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import { allowsUsersOf } from "./served-domain.ts";

const domain = (spec: object = {}): KubernetesObject => ({
  kind: "SipDomain",
  metadata: { namespace: "ns", name: "d", uid: "d", generation: 1 },
  spec,
});

test("a SipDomain takes users of its own namespace, and of those that it names or selects", async () => {
  const asked: string[] = [];
  const source = {
    namespaceLabels: (namespace: string) => (asked.push(namespace), Promise.resolve({ team: "b" })),
  } as unknown as Source;
  const takes = (namespace: string, spec?: object) => allowsUsersOf(domain(spec), namespace, source);
  expect(await takes("ns")).toBe(true);
  expect(await takes("ns", { allowedNamespaces: { names: ["far"] } })).toBe(true);
  expect(await takes("far")).toBe(false);
  expect(await takes("far", { allowedNamespaces: { names: ["far"] } })).toBe(true);
  expect(asked).toEqual([]);
  expect(await takes("far", { allowedNamespaces: { selector: { matchLabels: { team: "b" } } } })).toBe(true);
  expect(asked).toEqual(["far"]);
});
