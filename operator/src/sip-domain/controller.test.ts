import { expect, test } from "vitest";
import type { Installations } from "../installations.ts";
import { OutageConditions } from "../installations/outage-conditions.ts";
import type { KubernetesObject } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import type { StatusWriter } from "../runtime/status-writer.ts";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";
import { SipDomainController } from "./controller.ts";
import { isAllowed } from "./is-allowed.ts";

const domainOf = (name: string, spec: object, ready: "True" | "False"): KubernetesObject => ({
  kind: "SipDomain",
  metadata: { namespace: "ns", name, uid: name, generation: 1 },
  spec: { clusterRef: { name: "main" }, domain: `${name}.example`, enabled: true, ...spec },
  status: { conditions: [{ type: "Ready", status: ready }] },
});

const all = [
  domainOf("served", {}, "True"),
  domainOf("waits", { enabled: false }, "False"),
  domainOf("others", { clusterRef: { name: "other" } }, "False"),
];

const domains = new SipDomainController({
  source: { list: () => all } as unknown as Source,
  installations: {} as Installations,
  status: {} as StatusWriter,
  outages: new OutageConditions(new VirtualClock()),
});

test("a change of a SipCluster concerns its domains; a change of its status only domains that are not Ready", () => {
  const main = { kind: "SipCluster", key: "ns/main" } as const;
  expect(domains.dependentsOf({ ...main, what: "object" })).toEqual(["ns/served", "ns/waits"]);
  expect(domains.dependentsOf({ ...main, what: "status" })).toEqual(["ns/waits"]);
  expect(domains.dependentsOf({ kind: "SipUser", key: "ns/main", what: "object" })).toEqual([]);
});

test("`enabled: false` ends a service", () =>
  expect(all.map((object) => domains.endsService(object))).toEqual([false, true, false]));

test("a SipCluster serves its own namespace and allowed namespaces; labels are read only for a selector", async () => {
  const asked: string[] = [];
  const source = {
    namespaceLabels: (namespace: string) => (asked.push(namespace), Promise.resolve({ team: "b" })),
  } as unknown as Source;
  const allows = (namespace: string, allowedDomains?: readonly object[]) => {
    const metadata = { namespace: "ns", name: "main", uid: "c", generation: 1 };
    const cluster = { kind: "SipCluster", metadata, spec: allowedDomains && { allowedDomains } };
    return isAllowed({ ...cluster, spec: cluster.spec ?? {} }, namespace, ["a.example"], source);
  };
  expect(await allows("ns")).toBe(true);
  expect(await allows("far")).toBe(false);
  expect(await allows("far", [{ namespaces: { names: ["far"] } }])).toBe(true);
  expect(await allows("far", [{ namespaces: { names: ["far"] }, suffixes: ["other.example"] }])).toBe(false);
  expect(asked).toEqual([]);
  expect(await allows("far", [{ namespaces: { selector: { matchLabels: { team: "b" } } } }])).toBe(true);
  expect(asked).toEqual(["far"]);
});
