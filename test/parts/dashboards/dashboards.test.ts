/**
 * The dashboard and the alerts of the chart with a real Prometheus. It scrapes two nodes that handled real calls, and an operator with an
 * API server. An expression with an unknown metric or without a result fails.
 */
import { createSocket } from "node:dgram";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { freeUdpPort } from "../../../cli/src/up/free-port.ts";
import { TestCluster, passwordOf } from "../../support/test-cluster.ts";
import { describeWith } from "../../support/needs.ts";
import { sipp, startSipp } from "../../support/sipp.ts";
import { OperatorEnvironment } from "../api-server/operator-environment.ts";
import type { OperatorPod } from "../api-server/operator-pod.ts";
import { knownMetrics, unknownNames } from "./known-metrics.ts";
import { Prometheus, type Sample, type Target } from "./prometheus.ts";

const files = resolve(import.meta.dirname, "../../../charts/strowger/files");
const rulesFile = join(files, "alerts.yaml");
const known = knownMetrics();
const [dashboard, rules] = await Promise.all([
  readFile(join(files, "dashboards/strowger.json"), "utf8").then((text) => JSON.parse(text) as Dashboard),
  readFile(rulesFile, "utf8").then((text) => parse(text) as Rules),
]);

interface Dashboard {
  readonly templating: { readonly list: readonly { readonly type: string; readonly definition?: string }[] };
  readonly panels: readonly {
    readonly title: string;
    readonly type: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

interface Rules {
  readonly groups: readonly { readonly rules: readonly Alert[] }[];
}

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const panels = dashboard.panels.filter(({ type }) => type !== "row");
const expressions = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => [title, expr] as const),
);
const alerts = rules.groups.flatMap((group) => group.rules);
/** Their values depend on the machine that runs the test. */
const speedAlerts = new Set(["StrowgerNodeBusy", "StrowgerDatabaseSlow"]);
/** Replaces the variables as Grafana does. The time window includes all calls of the test. */
const filledIn = (expression: string): string =>
  expression.replaceAll("$namespace", ".*").replaceAll("$cluster", ".*").replaceAll("$__rate_interval", "5m");

describe("names", () => {
  test.each(expressions)("%s: %s", (_, expression) => {
    expect(unknownNames(filledIn(expression), known)).toEqual([]);
  });

  test.each(alerts.map(({ alert, expr }) => [alert, expr]))("%s: %s", (_, expression) => {
    expect(unknownNames(expression, known)).toEqual([]);
  });

  test.each([
    ["strowger_no_such", ["strowger_no_such"]],
    ['sum by (pod) (rate(strowger_peers_total{pod="a"}[5m])) > 0.5', ["strowger_peers_total", "by (pod)"]],
    ['rate(strowger_sip_requests_total{code="200"}[5m])', ["strowger_sip_requests_total{code}"]],
    ["sum by (code) (strowger_peers)", ["by (code)"]],
    ["strowger_database_seconds", ["strowger_database_seconds"]],
    [
      'histogram_quantile(0.9, sum by (le) (rate(strowger_register_seconds_bucket{le!="0.1"}[5m]))) or vector(0)',
      [],
    ],
    ["max(strowger_peers offset 20m) unless on (namespace) up == bool 1e3", []],
  ])("of %s: %j are unknown", (expression, unknown) => {
    expect(unknownNames(expression, known)).toEqual(unknown);
  });

  test("every alert has a severity, a summary, a description with labels, and an existing runbook", async () => {
    for (const { alert, labels, annotations } of alerts) {
      expect(["warning", "critical"], alert).toContain(labels["severity"]);
      expect(annotations["summary"], alert).toMatch(/\.$/);
      expect(annotations["description"]?.length, alert).toBeGreaterThan(40);
      const runbook = resolve(import.meta.dirname, `../../../docs/runbooks/${alert}.md`);
      expect(await readFile(runbook, "utf8"), runbook).toMatch(new RegExp(`^# ${alert}\n`));
    }
  });

  test("panels do not overlap", () => {
    const cells = dashboard.panels.flatMap(({ title, gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)} ${title}`),
    );
    expect(new Set(cells.map((cell) => cell.split(" ")[0])).size).toBe(cells.length);
  });
});

describeWith(["mariadb", "sipp", "etcd", "prometheus"], "a Prometheus that saw calls", () => {
  const parts = new AsyncDisposableStack();
  let cluster: TestCluster;
  let prometheus: Prometheus;

  beforeAll(async () => {
    cluster = parts.use(await TestCluster.start({ front: "shared port", nodes: 2 }));
    await cluster.insertUsers("panels.example", ["alice", "bob"]);
    const operator = await startOperatorWithWork();
    prometheus = parts.use(await Prometheus.start([...nodeTargets(), operator], rulesFile));
    await eventually(async () =>
      (await prometheus.query("up == 1")).length === 3 ? undefined : "3 targets",
    );
    await makeTraffic();
    // A rate needs a second sample of the changed counters.
    await eventually(async () => {
      const [seen] = await prometheus.query("min(count_over_time(strowger_calls_total[5m]))");
      const [calls] = await prometheus.query("sum(increase(strowger_calls_total[5m]))");
      const isSeen = (seen?.value ?? 0) > 4 && (calls?.value ?? 0) > 5;
      return isSeen ? undefined : `calls in Prometheus: ${seen?.value} samples, ${calls?.value} calls`;
    });
  }, 180_000);
  afterAll(async () => parts[Symbol.asyncDispose]());

  const nodeTargets = (): Target[] =>
    cluster.nodes.map(({ name, httpUrl }) => ({
      address: new URL(httpUrl).host,
      labels: { job: "strowger-sip-node", namespace: "telephony", sip_cluster: "exchange", pod: name },
    }));

  /** A leading operator with an exchange, a domain and a user. */
  const startOperatorWithWork = async (): Promise<Target> => {
    const environment = parts.use(await OperatorEnvironment.start());
    const pod = await environment.leader();
    // Zero replicas, because there is no kubelet to start nodes.
    const spec = {
      replicas: 0,
      mysql: environment.mysql(),
      advertise: { udp: { host: "192.0.2.1", port: 5060 } },
    };
    const ours = { apiVersion: "sip.strowger.dev/v1alpha1", metadata: { namespace: "default", name: "x" } };
    await environment.apply(
      { ...ours, kind: "SipCluster", spec },
      { ...ours, kind: "SipDomain", spec: { clusterRef: { name: "x" }, domain: "x.example" } },
      { ...ours, kind: "SipUser", spec: { domainRef: { name: "x" }, username: "x", generatePassword: true } },
    );
    await eventually(async () => {
      const done = await pod.total("controller_runtime_reconcile_total", {
        controller: "SipUser",
        result: "success",
      });
      return done > 0 ? undefined : "a SipUser that was reconciled";
    });
    const server = await forward(pod);
    parts.defer(() => void server.close());
    const labels = { job: "strowger-operator", namespace: "strowger-system", pod: pod.name };
    return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, labels };
  };

  /** Registrations, answered calls, a refused call, and a datagram that is not SIP, for about ten seconds. */
  const makeTraffic = async () => {
    const login = (username: string) => ({
      username,
      domain: "panels.example",
      password: passwordOf(username),
    });
    const port = await freeUdpPort("127.0.0.1");
    await sipp({ scenario: "register", exchange: cluster.front, login: login("bob"), port });
    await using callee = await startSipp({
      scenario: "answer",
      exchange: cluster.front,
      login: login("bob"),
      port,
      calls: 20,
    }); // prettier-ignore
    const registrations = sipp({
      scenario: "register",
      exchange: cluster.front,
      login: login("alice"),
      calls: 40,
      rate: 4,
      transport: "un",
      lifetime: 0,
    }); // prettier-ignore
    const calls = sipp({
      scenario: "call",
      exchange: cluster.front,
      login: login("alice"),
      callee: "bob",
      calls: 20,
      rate: 2,
      transport: "un",
    }); // prettier-ignore
    const socket = createSocket("udp4");
    socket.send("no SIP at all", cluster.front.port, cluster.front.address, () => socket.close());
    const [a, b, c] = await Promise.all([registrations, calls, callee.result]);
    expect(
      [a, b, c].map(({ successful }) => successful),
      [a, b, c].map(({ errors }) => errors).join(),
    ).toEqual([40, 20, 20]);
  };

  test.each(expressions)("%s is not empty: %s", async (title, expression) => {
    let samples: readonly Sample[] = [];
    await eventually(async () => {
      samples = await prometheus.query(filledIn(expression));
      // A quantile without observations is NaN, and is not drawn.
      const isThere = samples.some(({ value }) => Number.isFinite(value));
      return isThere ? undefined : `${title}: ${JSON.stringify(samples)}`;
    });
    expect(samples.filter(({ value }) => value < 0)).toEqual([]);
  });

  test("the variables of the dashboard have values", async () => {
    for (const { definition } of dashboard.templating.list.filter(({ type }) => type === "query")) {
      const [, selector = "", label = ""] = /^label_values\((.+), (\w+)\)$/.exec(definition ?? "") ?? [];
      const samples = await prometheus.query(filledIn(selector));
      for (const { metric } of samples) expect(metric[label], definition).toBeTruthy();
      expect(samples.length, definition).toBeGreaterThan(0);
    }
  });

  test("Prometheus loads and evaluates every alert; no alert fires without a problem", async () => {
    await eventually(async () => {
      const loaded = await prometheus.alerts();
      const bad = loaded.filter(({ health }) => health !== "ok");
      return bad.length === 0 && loaded.length === alerts.length ? undefined : JSON.stringify(bad);
    });
    const judged = alerts.filter(({ alert }) => !speedAlerts.has(alert));
    const firing = await Promise.all(
      judged.map(async ({ alert, expr }) => ((await prometheus.query(expr)).length > 0 ? [alert] : [])),
    );
    expect(firing.flat()).toEqual([]);
  });

  test("after the kill of a node StrowgerNodeDown fires, with the labels that its text uses", async () => {
    await cluster.kill("node-b");
    const down = alerts.find(({ alert }) => alert === "StrowgerNodeDown");
    await eventually(async () => {
      const [sample] = await prometheus.query(down?.expr ?? "");
      return sample?.metric["pod"] === "node-b" ? undefined : "node-b";
    });
  });
});

/** Serves the operator's metrics on another port, because OperatorPod does not show its own. */
async function forward(pod: OperatorPod): Promise<Server> {
  const server = createServer((_, response) => {
    void pod.get("/metrics").then(
      async (answer) =>
        response.setHeader("content-type", "text/plain; version=0.0.4").end(await answer.text()),
      () => response.writeHead(503).end(),
    );
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}

/** Polls until nothing is missing. */
async function eventually(missing: () => Promise<string | undefined>): Promise<void> {
  let last: string | undefined;
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
    last = await missing();
    if (last === undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`not within 30 s: ${last}`);
}
