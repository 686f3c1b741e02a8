/**
 * A flood of hostile datagrams beside real calls: no call fails. STROWGER_FLOOD=60 makes it the long form: 60 seconds, 5,000 datagrams and 50
 * calls a second; by default 10 seconds with a fifth of both, which two shared cores can send.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { total } from "../../../cli/src/up/metrics.ts";
import { freeUdpPort } from "../../../cli/src/up/free-port.ts";
import { startChild } from "../../support/child.ts";
import { describeWith } from "../../support/needs.ts";
import { sipp, startSipp } from "../../support/sipp.ts";
import { passwordOf, TestCluster } from "../../support/test-cluster.ts";

const domain = "flood.example";
const long = Number(process.env["STROWGER_FLOOD"] ?? 0);
const seconds = long > 0 ? long : 10;
const rates = long > 0 ? { flood: 5_000, calls: 50 } : { flood: 1_000, calls: 10 };
const login = (username: string) => ({ username, domain, password: passwordOf(username) });

describeWith(["mariadb", "sipp"], "a hostile flood", () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await TestCluster.start({ front: "shared port", nodes: 1 });
    await cluster.insertUsers(domain, ["alice", "bob", "100", "new"]);
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  test(
    `${rates.flood} hostile datagrams/s for ${seconds} s: none of ${rates.calls} calls/s fails, and a phone registers`,
    async () => {
      const exchange = cluster.front;
      const [port, callerPort] = [await freeUdpPort("127.0.0.1"), await freeUdpPort("127.0.0.1")];
      const registered = await sipp({ scenario: "register", exchange, login: login("bob"), port });
      expect(registered.successful).toBe(1);
      const program = join(import.meta.dirname, "../../support/hostile-flood-program.ts");
      const args = [exchange.address, exchange.port, rates.flood, seconds + 3, domain].map(String);
      const calls = seconds * rates.calls;
      const timeoutSeconds = seconds + 60;
      const bob = { exchange, login: login("bob"), port, calls, timeoutSeconds };
      const alice = {
        exchange,
        login: login("alice"),
        port: callerPort,
        callee: "bob",
        calls,
        timeoutSeconds,
      };
      await using callee = await startSipp({ scenario: "answer", ...bob });
      await using flood = startChild(process.execPath, [program, ...args]);
      await using caller = await startSipp({ scenario: "call", ...alice, rate: rates.calls });
      // Phones of a new address register during the flood, as strangers
      const registrations = { exchange, login: login("new"), address: "127.0.0.21", calls: seconds, rate: 1 };
      const strangers = await sipp({
        scenario: "register",
        ...registrations,
        transport: "un",
        lifetime: 60,
        timeoutSeconds,
      });
      const [called, answered] = [await caller.result, await callee.result];
      await flood.exited;
      const samples = await cluster.metrics(cluster.nodes[0]!);
      const dropped = [
        "malformed",
        "scanner",
        "rate",
        "failed-login",
        "not-served",
        "register-queue",
        "overload",
      ].map((reason) => `${reason} ${total(samples, "strowger_dropped_datagrams_total", { reason })}`);
      console.log({ ...called, errors: "" }, strangers.successful, flood.output(), dropped.join(", "));
      expect([called.successful, called.failed], called.errors).toEqual([calls, 0]);
      expect([answered.failed, strangers.failed, strangers.successful], strangers.errors).toEqual([
        0,
        0,
        seconds,
      ]);
      expect(total(samples, "strowger_invariant_violations_total")).toBe(0);
      const { receivedBytes, sentBytes } = JSON.parse(flood.output()) as {
        receivedBytes: number;
        sentBytes: number;
      };
      expect(receivedBytes).toBeLessThan(sentBytes);
    },
    (seconds + 120) * 1_000,
  );
});
