import { expect, test } from "vitest";
import type { Manifest } from "../runtime/manifests.ts";
import { makeCluster } from "../../../test/support/operator/cluster-fixtures.ts";
import { buildConfiguration } from "./manifests/build-configuration.ts";
import { longestDialog, planAddresses, type AddressPlan } from "./plan-addresses.ts";
import { isServed, type ServedCluster, type SipCluster } from "./resource.ts";

const now = 1_000_000;

const service = (ingress: readonly object[], spec: object = {}): Manifest => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: "tel", name: "pbx" },
  spec: { clusterIP: "10.96.0.20", ipFamilies: ["IPv4"], ports: [{ port: 5060 }], ...spec },
  status: { loadBalancer: { ingress } },
});

/** What the plan leaves in Kubernetes for the next one. */
const written = (cluster: SipCluster, { addressing, former }: AddressPlan): Manifest => {
  if (addressing === undefined || !isServed(cluster)) throw new Error("nothing to write");
  return buildConfiguration(cluster satisfies ServedCluster, addressing, former);
};

const cluster = makeCluster();

test("the load balancer's address is advertised, with the Service's port; its other addresses and the Service's own are accepted too", () => {
  const { addressing, condition } = planAddresses(
    cluster,
    service([{ ip: "192.0.2.10" }, { hostname: "lb.example" }]),
    undefined,
    [],
    now,
  );
  expect(addressing?.advertised).toEqual({ host: "192.0.2.10", port: 5060 });
  expect(addressing?.others).toEqual(["10.96.0.20:5060", "lb.example:5060"]);
  expect(condition).toMatchObject({ status: "True", reason: "AddressKnown" });
});

test("spec.advertise takes precedence over the load balancer's address", () => {
  const observed = makeCluster({ spec: { advertise: { udp: { host: "sip.example", port: 5070 } } } });
  const { addressing } = planAddresses(observed, service([{ ip: "192.0.2.10" }]), undefined, [], now);
  expect(addressing?.advertised).toEqual({ host: "sip.example", port: 5070 });
});

test("without an address the condition says what is missing", () => {
  const says = (type: string) =>
    planAddresses(
      makeCluster({ spec: { service: { mode: "Mixed", type } } }),
      service([]),
      undefined,
      [],
      now,
    );
  expect(says("LoadBalancer")).toMatchObject({
    addressing: undefined,
    condition: { reason: "AddressPending" },
  });
  expect(says("NodePort")).toMatchObject({ addressing: undefined, condition: { reason: "AddressRequired" } });
  const inside = says("ClusterIP");
  expect(inside.condition.reason).toBe("AddressRequired");
  expect(inside.condition.message).toContain("10.96.0.20");
});

test("design-sip rule 1: a former address is accepted until the longest dialog over it has ended, and no longer", () => {
  const first = planAddresses(cluster, service([{ ip: "192.0.2.10" }]), undefined, [], now);
  const moved = service([{ ip: "192.0.2.11" }]);
  const second = planAddresses(cluster, moved, written(cluster, first), [], now);
  expect(second.former).toEqual({ "192.0.2.10:5060": now + longestDialog });
  expect(second.addressing?.others).toContain("192.0.2.10:5060");
  const third = planAddresses(cluster, moved, written(cluster, second), [], now + longestDialog - 1);
  expect(third.former).toEqual(second.former);
  const fourth = planAddresses(cluster, moved, written(cluster, third), [], now + longestDialog);
  expect(fourth.former).toEqual({});
  expect(fourth.addressing?.others).toEqual(["10.96.0.20:5060"]);
});

test("former addresses have a fixed order: an equal list is written once", () => {
  const moves = (...ips: readonly string[]) =>
    ips.reduce<AddressPlan | undefined>(
      (before, ip) => planAddresses(cluster, service([{ ip }]), before && written(cluster, before), [], now),
      undefined,
    );
  const keys = ["192.0.2.10:5060", "192.0.2.11:5060"];
  for (const plan of [
    moves("192.0.2.10", "192.0.2.11", "192.0.2.12"),
    moves("192.0.2.11", "192.0.2.10", "192.0.2.12"),
  ])
    expect(Object.keys(plan?.former ?? {})).toEqual(keys);
});

test("an address that is advertised again is no former one", () => {
  const first = planAddresses(cluster, service([{ ip: "192.0.2.10" }]), undefined, [], now);
  const second = planAddresses(cluster, service([{ ip: "192.0.2.11" }]), written(cluster, first), [], now);
  const third = planAddresses(cluster, service([{ ip: "192.0.2.10" }]), written(cluster, second), [], now);
  expect(Object.keys(third.former)).toEqual(["192.0.2.11:5060"]);
});

test("nodes keep the last address of a load balancer that loses it, and the condition reports it", () => {
  const first = planAddresses(cluster, service([{ ip: "192.0.2.10" }]), undefined, [], now);
  const second = planAddresses(cluster, service([]), written(cluster, first), [], now);
  expect(second.addressing?.advertised).toEqual({ host: "192.0.2.10", port: 5060 });
  expect(second.former).toEqual({});
  expect(second.condition).toMatchObject({ status: "False", reason: "AddressPending" });
});

test("two addresses in another order are the same addresses", () => {
  const [a, b] = [{ ip: "192.0.2.10" }, { ip: "192.0.2.11" }];
  const first = planAddresses(cluster, service([a, b]), undefined, [], now);
  const second = planAddresses(cluster, service([b, a]), written(cluster, first), [], now);
  expect(written(cluster, second)).toEqual(written(cluster, first));
});

test("a configuration that cannot be parsed counts as absent", () => {
  const spoilt = { ...service([]), kind: "ConfigMap", data: { "config.json": "null" } };
  const metadata = { ...spoilt.metadata, annotations: { "sip.strowger.dev/former": "[" } };
  const plan = planAddresses(cluster, service([{ ip: "192.0.2.10" }]), { ...spoilt, metadata }, [], now);
  expect(plan).toMatchObject({ former: {}, condition: { status: "True" } });
});
