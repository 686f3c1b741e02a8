/** From an empty cluster to a call and back: chart, examples, phones, self-test, uninstall. kube-proxy uses nftables, and MariaDB is in the cluster. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Baresip } from "../support/baresip.ts";
import { hosts } from "../support/kubernetes/kube-cluster.ts";
import { firstLogins, percentile } from "./first-logins.ts";
import { InstalledExchange, namespace, operatorNamespace, release } from "./installed-exchange.ts";
import { placeAudioCall } from "./audio-call.ts";
import { logProgress } from "./log-progress.ts";

describe("Strowger on a cluster of two nodes", () => {
  let exchange: InstalledExchange;

  beforeAll(async () => {
    exchange = await InstalledExchange.open({ proxyMode: "nftables", database: "inside" });
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await exchange.saveLogs();
  });
  afterAll(async () => exchange?.[Symbol.asyncDispose]());

  test("helm installs the chart, and the objects of the examples become Ready", async () => {
    await exchange.helmInstall();
    await exchange.applyExamples();
    const nodes = Object.values(await exchange.pods());
    expect(nodes).toHaveLength(2);
    if (exchange.cluster.own) expect(new Set(nodes), "one pod on each node").toEqual(new Set(["k1", "k2"]));
  });

  test("two phones on pods of different nodes call each other, and each receives the other's audio", async () => {
    const [address, host] = [await exchange.address(), await exchange.phonesHost()];
    const [callerPort, calleePort] = await portsOnTwoNodes(exchange, address);
    const shares = await placeAudioCall({
      host,
      exchange: address,
      caller: { login: await exchange.login("alice"), sipPort: callerPort },
      callee: { login: await exchange.login("bob"), sipPort: calleePort },
    });
    logProgress(`share of the other's tone: ${JSON.stringify(shares)}`);
    expect(shares.caller).toBeGreaterThan(0.8);
    expect(shares.callee).toBeGreaterThan(0.8);
  });

  test("kubectl shows the registered users", async () => {
    const host = await exchange.phonesHost();
    const login = await exchange.login("carol");
    const plan = { login, exchange: await exchange.address(), host, toneHz: 440, firstRtpPort: 41_200 };
    await using carol = await Baresip.start({ ...plan, sipPort: 5_300 });
    expect(await carol.isRegistered()).toBe(true);
    const isSeen = "--for=jsonpath={.status.registered}=true";
    await exchange.kubectl("wait", isSeen, "sipuser/carol", "-n", namespace, "--timeout=60s");
    logProgress(`\n${await exchange.kubectl("get", "sipusers", "-n", namespace)}`);
  });

  test("helm test places a call through the Service", async () => {
    const args = ["test", release, "--namespace", operatorNamespace, "--logs", "--timeout", "3m"];
    const output = await exchange.cluster.client.helm(args, { timeoutMs: 240_000 });
    logProgress(output);
    expect(output.match(/^POD LOGS: /gm)).toHaveLength(1);
  });

  test("100 new users can register soon after kubectl apply", async () => {
    const times = await firstLogins(exchange, 100);
    logProgress(`apply to login: p50 ${percentile(times, 0.5)} ms, p99 ${percentile(times, 0.99)} ms`);
    expect(times).toHaveLength(100);
  });

  test("uninstall leaves no object that cannot be deleted", async () => {
    await exchange.kubectl("delete", "sipusers,sipdomains", "--all", "-n", namespace, "--timeout=120s");
    await exchange.kubectl("delete", "sipclusters", "--all", "-n", namespace, "--timeout=120s");
    logProgress("users, domains and the exchange are deleted");
    const where = ["--namespace", operatorNamespace, "--wait", "--timeout", "3m"];
    logProgress(await exchange.cluster.client.helm(["uninstall", release, ...where], { timeoutMs: 240_000 }));
    // The namespace controller waits half of the pods' grace period before it checks again (Kubernetes 1.33), so the pods are awaited first.
    const nodes = ["pods", "-l", "sip.strowger.dev/cluster", "-n", namespace, "--timeout=280s"];
    await exchange.kubectl("wait", "--for=delete", ...nodes);
    logProgress("the SIP nodes have drained");
    await exchange.removeExamples();
    await exchange.kubectl("delete", "namespace", operatorNamespace, "--timeout=120s");
    const namespaces = await exchange.kubectl("get", "namespaces", "-o", "name");
    expect(namespaces).not.toMatch(/telephony|strowger/);
    expect(await exchange.kubectl("get", "crd", "-o", "name")).not.toContain("strowger");
    logProgress("nothing is left");
  });
});

/** Ports of the phones' host whose flows go to different nodes. They are even, because baresip also uses the next port. On an existing cluster the nodes are unknown, so any ports are used. */
async function portsOnTwoNodes(
  { cluster }: InstalledExchange,
  address: { address: string; port: number },
): Promise<[number, number]> {
  const wanted = [hosts.k1.address, hosts.k2.address];
  const found = new Map<string, number>();
  for (let port = 5_100; cluster.own && found.size < wanted.length && port < 5_200; port += 2)
    found.set(await cluster.own.balancer.nodeOf(port, address), port);
  const [first = 5_100, second = 5_102] = wanted.map((node) => found.get(node));
  return [first, second];
}
