/**
 * SIGTERM of two of three nodes during a stream of calls (design-sip rules 20 to 22, P5): real processes, real sockets, sipp's phones, and a
 * balancer that either keeps the flows on a draining node or moves them at once. Nothing fails.
 */
import { expect, test } from "vitest";
import { total } from "../../../cli/src/up/metrics.ts";
import { freeUdpPort } from "../../../cli/src/up/free-port.ts";
import { TestCluster, passwordOf } from "../../support/test-cluster.ts";
import { describeWith } from "../../support/needs.ts";
import { sipp, startSipp, type SippPlan } from "../../support/sipp.ts";

const domain = "parts.example";
const login = (username: string) => ({ username, domain, password: passwordOf(username) });
const [calls, rate] = [200, 14];
/**
 * A datagram that arrives while the process of a node ends is lost: no balancer knows at that moment that the node is gone. A phone sends it
 * again after T1, 500 ms (RFC 3261 §17.1.2.2, §13.3.1.4). So the talk is longer than that, and phones handle repeated messages after a call.
 */
const [talkMs, timewaitMs] = [1_000, 2_000];
/** sipp counts it as an error when it is late itself. */
const noWatchdog = ["-watchdog_minor_threshold", "60000", "-watchdog_major_threshold", "60000"];

describeWith(["mariadb", "sipp"], "two of three nodes drain during calls", () => {
  for (const flows of ["stay", "move"] as const)
    test(`their flows ${flows}: every call and every registration succeeds`, async () => {
      await using cluster = await TestCluster.start({ front: "balancer", nodes: 3, drainTimeout: 6 });
      await cluster.insertUsers(domain, ["alice", "bob", "carol", "dave"]);
      const [callerPort, calleePort] = [
        await findPortOf(cluster, "node-a"),
        await findPortOf(cluster, "node-b"),
      ];
      const plan = (user: string, plan: Partial<SippPlan> & { scenario: string }): SippPlan => ({
        exchange: cluster.front,
        login: login(user),
        calls,
        rate,
        pauseMs: talkMs,
        args: noWatchdog,
        ...plan,
      });
      const registered = await sipp(plan("bob", { scenario: "register", port: calleePort, calls: 1 }));
      expect(registered).toMatchObject({ successful: 1, failed: 0 });
      await using callee = await startSipp(
        plan("bob", {
          ...{ scenario: "answer", port: calleePort, calls: 2 * calls, timewaitMs },
          // A repeated request that comes through another node has another Via.
          args: [...noWatchdog, "-rtcheck", "loose"],
        }),
      );
      await using streams = new AsyncDisposableStack();
      const running = [
        // All calls of one phone, whose flow is on a draining node; a flow for each call; phones that come and go
        plan("alice", { scenario: "call", callee: "bob", port: callerPort, timewaitMs }),
        plan("carol", { scenario: "call", callee: "bob", transport: "un", timewaitMs }),
        // At another rate: the balancer assigns new flows in turn, and in step all calls would get one node and all registrations the other.
        plan("dave", { scenario: "register", transport: "un", lifetime: 0, rate: 11 }),
      ].map(async (stream) => await streams.use(await startSipp(stream)).result);

      streams.use(keepAlive(cluster));
      const seen = watch(cluster);
      await expect.poll(() => seen("node-a", "INVITE"), { timeout: 10_000 }).toBeGreaterThan(20);
      const first = cluster.drain("node-a", flows);
      await expect.poll(() => seen("node-b", "INVITE"), { timeout: 10_000 }).toBeGreaterThan(20);
      const second = cluster.drain("node-b", flows);

      const results = await Promise.all([...running, callee.result]);
      console.log(`flows ${flows}:`, JSON.stringify(seen.all(), undefined, 1), results);
      expect(results.map(({ successful }) => successful)).toEqual([calls, calls, calls, 2 * calls]);
      for (const { failed, errors } of results) expect([failed, errors]).toEqual([0, ""]);
      expect(await Promise.all([first, second])).toEqual([0, 0]);
      for (const name of ["node-a", "node-b", "node-c"])
        expect(seen(name, "INVITE"), name).toBeGreaterThan(0);
      if (flows === "stay") {
        expect(seen.relays("node-a", "given")).toBeGreaterThan(10);
        expect(seen.relays("node-c", "taken")).toBeGreaterThan(10);
      }
    });
});

/** A free port whose flow is assigned to this node. */
async function findPortOf(cluster: TestCluster, node: string): Promise<number> {
  const port = await freeUdpPort("127.0.0.1");
  await cluster.balancer?.move({ address: "127.0.0.1", port }, node);
  return port;
}

/**
 * Sends keepalives: phones on UDP send at least every 25 s (P5), but sipp does not. A phone with a flow for each call needs them too: its flow
 * may move while it waits for the answer to its INVITE.
 */
function keepAlive(cluster: TestCluster): Disposable {
  const timer = setInterval(() => void cluster.balancer?.keepAliveRecent(10_000), 3_000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** The last metrics of each node; a node that has ended does not answer any more. */
function watch(cluster: TestCluster) {
  const last = new Map<string, Awaited<ReturnType<TestCluster["metrics"]>>>();
  const readMetrics = async (name: string) => {
    const samples = await cluster.metrics(cluster.node(name));
    if (samples.length > 0) last.set(name, samples);
  };
  const value = (name: string, metric: string, labels: Record<string, string>) =>
    total(last.get(name) ?? [], metric, labels);
  const seen = (name: string, method: string) => value(name, "strowger_sip_requests_total", { method });
  const relays = (name: string, direction: string) => value(name, "strowger_relays_total", { direction });
  const timer = setInterval(() => {
    for (const { name } of cluster.nodes) void readMetrics(name).catch(() => undefined);
  }, 200);
  timer.unref();
  const all = () =>
    cluster.nodes.map(({ name }) => ({
      name,
      INVITEs: seen(name, "INVITE"),
      REGISTERs: seen(name, "REGISTER"),
      given: relays(name, "given"),
      taken: relays(name, "taken"),
    }));
  return Object.assign(seen, { relays, all });
}
