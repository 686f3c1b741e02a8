import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

const good = {
  STROWGER_FILES: "examples",
  STROWGER_DATA: "data",
  STROWGER_MYSQL_URL: "mysql://u:geheim@h/sip",
};

test("defaults: HTTP on loopback, log level info", () => {
  expect(readConfig(good)).toMatchObject({
    http: { host: "127.0.0.1", port: 8080 },
    logLevel: "info",
    source: { kind: "files", files: "examples", database: { user: "u" } },
  });
});

test("all problems are in one report, and none contains the password", () => {
  const report = readConfig({
    STROWGER_MYSQL_URL: "ftp://u:geheim@h/sip",
    STROWGER_HTTP: "8080",
    STROWGER_LOG_LEVEL: "loud",
    STROWGER_WORKERS: "0",
  });
  expect(report).toHaveProperty("problems.length", 6);
  expect(JSON.stringify(report)).not.toContain("geheim");
});

test("workers: 32 of each kind by default, 1 to 64", () => {
  expect(readConfig(good)).toHaveProperty("workers", 32);
  for (const workers of ["1", "64"])
    expect(readConfig({ ...good, STROWGER_WORKERS: workers })).toHaveProperty("workers", Number(workers));
  for (const workers of ["65", "-1", "1.5", "many", ""])
    expect(readConfig({ ...good, STROWGER_WORKERS: workers })).toHaveProperty("problems");
});

test("an IPv6 listener is written in brackets", () => {
  expect(readConfig({ ...good, STROWGER_HTTP: "[::1]:0" })).toMatchObject({ http: { host: "::1", port: 0 } });
  expect(readConfig({ ...good, STROWGER_HTTP: "::1:80" })).toHaveProperty("problems");
});

const inKubernetes = {
  STROWGER_SOURCE: "kubernetes",
  STROWGER_POD_NAME: "operator-1",
  STROWGER_POD_NAMESPACE: "strowger",
  STROWGER_SIP_NODE_IMAGE: "sip-node:1",
};

test("Kubernetes: by default all namespaces, and metrics for all pods", () => {
  expect(readConfig(inKubernetes)).toMatchObject({
    source: {
      kind: "kubernetes",
      namespaces: [],
      lease: "strowger-operator",
      clusterRanges: [],
      metricsFrom: [{ namespaceSelector: {} }],
      nodePull: { policy: undefined, secrets: [] },
    },
  });
  expect(readConfig({ ...inKubernetes, STROWGER_NAMESPACES: "a, b" })).toHaveProperty("source.namespaces", [
    "a",
    "b",
  ]);
});

test("Kubernetes: ranges are CIDRs, metrics peers a list, the source one of two", () => {
  const { problems } = readConfig({
    STROWGER_SOURCE: "kubernetes",
    STROWGER_CLUSTER_RANGES: "10.0.0.0/33,fd00::/8,10.0.0.1",
    STROWGER_METRICS_FROM: "{}",
  }) as { readonly problems: readonly string[] };
  expect(problems).toHaveLength(6);
  expect(readConfig({ STROWGER_SOURCE: "etcd" })).toHaveProperty("problems", [
    "STROWGER_SOURCE is etcd; expected files or kubernetes",
  ]);
});

test("Kubernetes: how the nodes' image is pulled", () => {
  const pull = { STROWGER_SIP_NODE_PULL_POLICY: "Always", STROWGER_SIP_NODE_PULL_SECRETS: "a, b" };
  expect(readConfig({ ...inKubernetes, ...pull })).toHaveProperty("source.nodePull", {
    policy: "Always",
    secrets: ["a", "b"],
  });
  expect(readConfig({ ...inKubernetes, STROWGER_SIP_NODE_PULL_POLICY: "Sometimes" })).toEqual({
    problems: ["STROWGER_SIP_NODE_PULL_POLICY is Sometimes; expected Always, IfNotPresent, Never"],
  });
});
