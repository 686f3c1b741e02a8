/** Calls during scaling, an upgrade, crashes and the loss of a node. kube-proxy uses iptables, and MariaDB is outside the cluster. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { CallStream, type StreamReport } from "./call-stream.ts";
import { InstalledExchange, namespace, operatorNamespace } from "./installed-exchange.ts";
import { logProgress } from "./log-progress.ts";

const nodesOfExchange = ["deployment/exchange-nodes", "-n", namespace, "--timeout=300s"];

describe("calls through an exchange on Kubernetes", () => {
  let exchange: InstalledExchange;
  let stream: CallStream;

  beforeAll(async () => {
    exchange = await InstalledExchange.open({ proxyMode: "iptables", database: "outside" });
    await exchange.helmInstall();
    await exchange.applyExamples();
    stream = await CallStream.open({
      host: await exchange.phonesHost(),
      exchange: await exchange.address(),
      ...{ caller: await exchange.login("alice"), callee: await exchange.login("bob") },
      ...{ calleePort: 5_100, rate: 10 },
      ...(exchange.cluster.own && { folder: exchange.cluster.own.kubeCluster.folder }),
    });
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await exchange.saveLogs();
  });
  afterAll(async () => {
    await stream?.[Symbol.asyncDispose]();
    await exchange?.[Symbol.asyncDispose]();
  });

  test("without an event no call fails", async () => {
    const { failed, errorOutput } = print("no event", await stream.during(async () => undefined));
    expect(failed, errorOutput).toBe(0);
  });

  test("the kill of the operator does not affect calls", async () => {
    const report = await stream.during(async () => {
      const label = "app.kubernetes.io/component=operator";
      const which = ["-l", label, "-n", operatorNamespace];
      await exchange.kubectl("delete", "pods", ...which, "--grace-period=0", "--force");
      await exchange.kubectl("wait", "--for=condition=Available", "deployment", ...which, "--timeout=120s");
    });
    expect(print("operator killed", report).failed, report.errorOutput).toBe(0);
  });

  test("scale 2, 4, 2", async () => {
    const report = await stream.during(async () => {
      for (const replicas of [4, 2]) {
        await exchange.kubectl("scale", "sipcluster/exchange", "-n", namespace, `--replicas=${replicas}`);
        const is = `--for=jsonpath={.status.readyReplicas}=${replicas}`;
        await exchange.kubectl("wait", is, ...nodesOfExchange);
      }
    });
    expectServed(print("scale 2, 4, 2", report));
  });

  test("a rolling upgrade of the image", async () => {
    const report = await stream.during(async () => {
      const patch = JSON.stringify({ spec: { image: exchange.cluster.nextSipNodeImage } });
      const what = ["sipcluster/exchange", "-n", namespace, "--type=merge", "-p", patch];
      await exchange.kubectl("patch", ...what);
      const image = `--for=jsonpath={.spec.template.spec.containers[0].image}=${exchange.cluster.nextSipNodeImage}`;
      await exchange.kubectl("wait", image, ...nodesOfExchange);
      await exchange.kubectl("rollout", "status", ...nodesOfExchange);
    });
    expectServed(print("rolling upgrade", report));
  });

  test("SIGKILL of a node's process", async () => {
    const report = await stream.during(async () => {
      const [pod = "", node = ""] = Object.entries(await exchange.pods())[0] ?? [];
      if (exchange.cluster.own)
        await exchange.cluster.own.kubeCluster.node(node).killContainer(pod, "sip-node");
      else await exchange.kubectl("delete", "pod", pod, "-n", namespace, "--grace-period=0", "--force");
      await seconds(10);
      await exchange.kubectl("rollout", "status", ...nodesOfExchange);
    });
    expectServed(print("SIGKILL of a pod", report));
  });

  test("the loss of a whole node", async () => {
    const own = exchange.cluster.own;
    if (own === undefined) return logProgress("skipped: nodes of an existing cluster cannot be removed");
    const report = await stream.during(async () => {
      await own.kubeCluster.node("k2").lose();
      await seconds(60);
    });
    logProgress(
      own.balancer
        .changes()
        .slice(-3)
        .map(({ what }) => what)
        .join("; "),
    );
    expectServed(print("loss of a node", report));
  });

  /** Some calls may fail, but the exchange must work again before the stream ends. */
  function expectServed(report: StreamReport): void {
    expect(report.calls).toBeGreaterThan(0);
    expect(report.failed / report.calls, report.errorOutput).toBeLessThan(0.5);
  }
});

function print(event: string, report: StreamReport): StreamReport {
  const { calls, failed, retransmissions, recovery } = report;
  const ending = failed === 0 ? "" : `, the last of them began ${recovery} ms after the event`;
  logProgress(`${event}: ${calls} calls, ${failed} failed${ending}; ${retransmissions} retransmissions`);
  if (failed > 0) logProgress(report.errorOutput);
  return report;
}

const seconds = (count: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, count * 1_000));
