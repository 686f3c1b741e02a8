import { expect, test } from "vitest";
import type { Manifest } from "../../runtime/manifests.ts";
import { dnsRecords } from "../dns-records.ts";
import { planImage } from "../plan-image.ts";
import { differs, withHash } from "./differs.ts";
import { mergeTemplate } from "./merge-template.ts";
import { parseQuantity } from "./quantity.ts";

test.each([
  ["512Mi", 512 * 2 ** 20],
  ["0.5", 0.5],
  ["250m", 0.25],
  ["1e3", 1000],
  ["1.5G", 1.5e9],
  ["700m", 0.7],
  ["1e3m", 1],
  ["2040109466m", 2040109.466],
  [2, 2],
  ["Mi", undefined],
  ["1 Gi", undefined],
  ["12X", undefined],
  ["1constructor", undefined],
  ["1toString", undefined],
])("quantity %s", (text, value) => expect(parseQuantity(text)).toBe(value));

const wanted = withHash({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { namespace: "n", name: "d", annotations: { mine: "1" } },
  spec: { containers: [{ name: "a", resources: { limits: { cpu: "1000m" } } }], tolerations: [{ key: "x" }] },
});

const live = (spec: object, annotations: object = {}): Manifest => ({
  ...wanted,
  metadata: { ...wanted.metadata, annotations: { ...wanted.metadata.annotations, ...annotations } },
  spec: { ...(wanted["spec"] as object), ...spec },
});

test("defaults, annotations of others and another spelling of a quantity are no difference", () => {
  const containers = [{ name: "a", image: "?", resources: { limits: { cpu: "1" }, requests: {} } }];
  expect(differs(wanted, live({ containers, minReadySeconds: 0 }, { theirs: "1" }))).toBe(false);
});

test("an omitted empty field is no difference: the API server omits it, and would get a write at every reconcile", () => {
  const nothing = {
    imagePullSecrets: [],
    priorityClassName: "",
    nodeSelector: {},
    tolerations: [{ key: "" }],
  };
  const empty = withHash({ ...wanted, spec: nothing });
  expect(differs(empty, { ...empty, spec: { tolerations: [{}] } })).toBe(false);
  expect(differs(empty, { ...empty, spec: { tolerations: [{}], nodeSelector: { a: "b" } } })).toBe(false);
  expect(differs(empty, { ...empty, spec: { tolerations: [{}], imagePullSecrets: [{ name: "a" }] } })).toBe(
    true,
  );
  expect(differs(withHash({ ...wanted, spec: { replicas: 0 } }), { ...wanted, spec: {} })).toBe(true);
});

test("another value, a missing item and a missing object are a difference, and so is a field that we no longer set", () => {
  expect(differs(wanted, undefined)).toBe(true);
  expect(differs(wanted, live({ containers: [{ name: "a", resources: { limits: { cpu: "2" } } }] }))).toBe(
    true,
  );
  expect(differs(wanted, live({ tolerations: [{ key: "x" }, { key: "y" }] }))).toBe(true);
  expect(differs(wanted, live({ tolerations: null }))).toBe(true);
  const { annotations, ...metadata } = wanted.metadata;
  expect(annotations).toBeDefined();
  expect(differs(withHash({ ...wanted, metadata }), live({}))).toBe(true);
});

test("a template is merged into ours field by field; null removes, tolerations are added, other lists are replaced", () => {
  const ours = { a: { b: 1, c: 2 }, tolerations: [1], list: [1], kept: true };
  expect(mergeTemplate(ours, { a: { b: null, d: 3 }, tolerations: [2], list: [2], fresh: { x: 1 } })).toEqual(
    {
      a: { c: 2, d: 3 },
      tolerations: [1, 2],
      list: [2],
      kept: true,
      fresh: { x: 1 },
    },
  );
});

test.each([
  [{ version: "2.0" }, "reg:5000/a/node:2.0", "2.0"],
  [{ image: "x/y@sha256:ab" }, "x/y@sha256:ab", "sha256:ab"],
  [{ image: "reg:5000/y" }, "reg:5000/y", "latest"],
  [{}, "reg:5000/a/node:1.0", "1.0"],
])("image of %o", (spec, image, version) => {
  const chosen = planImage(
    { image: undefined, version: undefined, ...spec },
    undefined,
    "reg:5000/a/node:1.0",
  );
  expect(chosen).toEqual({ image, version });
});

test("RFC 3263 §4: SRV names a host; an address gets a name in each domain", () => {
  expect(dnsRecords({ host: "192.0.2.1", port: 5060 }, ["b.example", "a.example"])).toEqual([
    'a.example. 300 IN NAPTR 10 10 "s" "SIP+D2U" "" _sip._udp.a.example.',
    "_sip._udp.a.example. 300 IN SRV 10 10 5060 sip.a.example.",
    "sip.a.example. 300 IN A 192.0.2.1",
    'b.example. 300 IN NAPTR 10 10 "s" "SIP+D2U" "" _sip._udp.b.example.',
    "_sip._udp.b.example. 300 IN SRV 10 10 5060 sip.b.example.",
    "sip.b.example. 300 IN A 192.0.2.1",
  ]);
  expect(dnsRecords({ host: "lb.example.net.", port: 5070 }, ["a.example", "192.0.2.9"])).toEqual([
    'a.example. 300 IN NAPTR 10 10 "s" "SIP+D2U" "" _sip._udp.a.example.',
    "_sip._udp.a.example. 300 IN SRV 10 10 5070 lb.example.net.",
  ]);
  expect(dnsRecords({ host: "2001:db8::1", port: 5060 }, ["a.example"]).at(-1)).toContain(
    "IN AAAA 2001:db8::1",
  );
});

test("fields of a template with the names of inherited properties are ordinary fields", () => {
  const theirs = JSON.parse('{ "__proto__": { "a": 1 }, "constructor": { "b": null, "c": 2 } }') as object;
  expect(JSON.stringify(mergeTemplate({}, { ...theirs }))).toBe(
    '{"__proto__":{"a":1},"constructor":{"c":2}}',
  );
});
