/**
 * The command of `helm test`, with the rights of the chart: `strowger selftest` on an API server, with the operator and two nodes.
 * The nodes are processes of the test, with the operator's database.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "../../support/test-cluster.ts";
import { describeWith } from "../../support/needs.ts";
import { eventually } from "../api-server/eventually.ts";
import { OperatorEnvironment, sipCluster } from "../api-server/operator-environment.ts";
import { renderChart } from "./render-chart.ts";
import { startStrowger, strowger } from "./run-strowger.ts";

describeWith(["mariadb", "etcd", "go"], "strowger selftest in helm test", () => {
  const parts = new AsyncDisposableStack();
  let environment: OperatorEnvironment;
  let cluster: TestCluster;
  let account: string;

  beforeAll(async () => {
    environment = parts.use(await OperatorEnvironment.start());
    const { manifests } = await renderChart({ namespace: "default" });
    const hook = manifests.filter(({ metadata }) => metadata.name === "strowger-selftest");
    await environment.apply(...hook.filter(({ kind }) => kind !== "Pod"));
    account = await environment.server.serviceAccount("default", "strowger-selftest");
  });
  afterAll(async () => parts[Symbol.asyncDispose]());

  /** An exchange of the operator with nodes that already run. */
  const exchange = async () => {
    cluster = parts.use(await TestCluster.start({ front: "shared port", nodes: 2 }));
    await cluster.operator?.end();
    await cluster.database.query("CREATE USER operator IDENTIFIED BY 'operator-secret'");
    await cluster.database.query("GRANT ALL ON *.* TO operator");
    const [meta] = await cluster.database.query<{ installation_id: string }>(
      "SELECT installation_id FROM strowger_meta",
    );
    const mysql = { ...environment.mysql(), port: cluster.database.port };
    const { address: host, port } = cluster.front;
    const object = sipCluster("exchange", mysql, { advertise: { udp: { host, port } } }) as {
      metadata: object;
    };
    const annotations = { "sip.strowger.dev/take-over": meta?.installation_id };
    await environment.leader();
    await environment.apply({ ...object, metadata: { ...object.metadata, annotations } });
    const isOurs = async () => {
      const condition = await environment.condition("SipCluster", "exchange", "default", "DatabaseReady");
      const found = await environment.find("SipCluster", "exchange");
      const addresses = (found?.status?.["addresses"] ?? []) as readonly unknown[];
      return condition?.status === "True" && addresses.length > 0;
    };
    await eventually("the operator serves the exchange", isOurs);
  };

  const leftovers = async (): Promise<readonly unknown[]> => {
    const { items } = await environment.server.get<{ items: unknown[] }>(
      "sipdomains,sipusers,secrets",
      "-n",
      "default",
    );
    const names = (items as { kind: string; metadata: { name: string } }[]).map(
      ({ kind, metadata }) => `${kind} ${metadata.name}`,
    );
    const rows = await cluster.database.query("SELECT username FROM subscriber");
    return [...names.filter((name) => name.includes("selftest")), ...rows];
  };

  /** A user that was deleted before it had a finalizer disappears before its generated password. */
  const waitUntilNothingIsLeft = () =>
    eventually("no object is left", async () => (await leftovers()).length === 0);

  test("without a SipCluster the test passes with a message", async () => {
    expect(await strowger(account, ["selftest"])).toEqual({
      status: 0,
      output: "PASS: there is no SipCluster yet, so there is nothing to call\n",
    });
  });

  test("two phones with generated passwords call through the advertised address; no object is left", async () => {
    await exchange();
    const { status, output } = await strowger(account, ["selftest", "--namespace", "default"]);
    expect(output.replaceAll(/after \d+\.\d s/g, "after a while")).toBe(`\
default/exchange: phones call ${cluster.front.address}:${cluster.front.port} over UDP
default/exchange: a SipDomain and two SipUsers are Ready
default/exchange: callee@strowger-selftest.test registered: 200 after a while
default/exchange: caller@strowger-selftest.test registered: 200 after a while
default/exchange: INVITE callee: 100, 180, 200
default/exchange: ACK: reached the callee
default/exchange: BYE: 200
default/exchange: both phones de-registered
default/exchange: the SipDomain and the SipUsers are removed
default/exchange: PASS
`);
    expect(status).toBe(0);
    await waitUntilNothingIsLeft();
  });

  test("after SIGTERM the test removes its objects and fails", async () => {
    await using child = await startStrowger(account, ["selftest"]);
    await eventually(
      "its users are made",
      async () => (await environment.find("SipUser", "strowger-selftest-callee")) !== undefined,
    ); // prettier-ignore
    child.process.kill("SIGTERM");
    expect(await child.exited).toBe(1);
    expect(child.output()).toMatch(/removed\ndefault\/exchange: FAIL: /);
    await waitUntilNothingIsLeft();
  });

  test("objects of an earlier test that was killed are replaced", async () => {
    await using child = await startStrowger(account, ["selftest"]);
    await eventually(
      "its users are made",
      async () => (await environment.find("SipUser", "strowger-selftest-callee")) !== undefined,
    ); // prettier-ignore
    await child.end("SIGKILL");
    const { status, output } = await strowger(account, ["selftest"]);
    expect(output).toContain("default/exchange: PASS\n");
    expect(status).toBe(0);
  });
});
