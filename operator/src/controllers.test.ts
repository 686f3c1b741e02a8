import { expect, test } from "vitest";
import { objectsOf } from "./controllers.ts";
import type { KubernetesObject } from "./runtime/object.ts";

const object = (kind: string, namespace: string, name: string, spec: object): KubernetesObject => ({
  kind,
  metadata: { namespace, name, uid: name, generation: 1 },
  spec,
});

test("a SipCluster's database serves the domains that name it, in every namespace, their users, and users whose domain is gone", () => {
  const objects = [
    object("SipDomain", "voice", "own", { clusterRef: { name: "main" }, domain: "a.test" }),
    object("SipDomain", "shop", "far", {
      clusterRef: { name: "main", namespace: "voice" },
      domain: "b.test",
    }),
    object("SipDomain", "shop", "other", { clusterRef: { name: "main" }, domain: "c.test" }),
    object("SipUser", "shop", "alice", { domainRef: { name: "far" }, username: "alice" }),
    object("SipUser", "shop", "bob", { domainRef: { name: "other" }, username: "bob" }),
    object("SipUser", "shop", "carol", { domainRef: { name: "gone" }, username: "carol" }),
  ];
  const source = { list: (kind: string) => objects.filter((one) => one.kind === kind) };
  expect(objectsOf("voice/main", source)).toEqual({
    domains: ["voice/own", "shop/far"],
    users: ["shop/alice", "shop/carol"],
  });
});
