/** Calls of sipp, an independent SIP stack, through two nodes on one port. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { freeUdpPort } from "../../../cli/src/up/free-port.ts";
import { TestCluster, passwordOf } from "../../support/test-cluster.ts";
import { describeWith } from "../../support/needs.ts";
import { sipp, startSipp, type SippResult } from "../../support/sipp.ts";

const domain = "parts.example";
const login = (username: string) => ({ username, domain, password: passwordOf(username) });

describeWith(["mariadb", "sipp"], "sipp through two nodes", () => {
  let cluster: TestCluster;
  let calleePort: number;

  beforeAll(async () => {
    cluster = await TestCluster.start({ front: "shared port", nodes: 2 });
    await cluster.insertUsers(domain, ["alice", "bob", "carol"]);
    calleePort = await freeUdpPort("127.0.0.1");
    const registered = await sipp({
      scenario: "register",
      exchange: cluster.front,
      login: login("bob"),
      port: calleePort,
    });
    all(registered, 1);
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  test("REGISTER is challenged and then answered with 200, each registration from another source port", async () => {
    const plan = {
      scenario: "register",
      exchange: cluster.front,
      login: login("carol"),
      calls: 40,
      transport: "un",
      lifetime: 0,
    } as const;
    all(await sipp(plan), 40);
    const counts = await cluster.requests("REGISTER");
    console.log("REGISTERs handled:", counts);
    for (const count of Object.values(counts)) expect(count, "each node takes part").toBeGreaterThan(0);
  });

  test("a wrong password and an unknown user are answered with 401 again", async () => {
    all(
      await sipp({
        scenario: "register-refused",
        exchange: cluster.front,
        login: { ...login("bob"), password: "wrong" },
      }),
      1,
    );
    all(await sipp({ scenario: "register-refused", exchange: cluster.front, login: login("nobody") }), 1);
  });

  test("a caller with a wrong password is challenged again with 407", async () => {
    const wrong = { ...login("alice"), password: "wrong" };
    all(
      await sipp({ scenario: "call-wrong-password", exchange: cluster.front, login: wrong, callee: "bob" }),
      1,
    );
  });

  test("20 calls ring, are answered and hung up, and both nodes receive INVITEs", async () => {
    const before = await cluster.requests("INVITE");
    await using callee = await startSipp({ scenario: "answer", ...bob(), calls: 20 });
    all(await sipp({ scenario: "call", ...alice(), callee: "bob", calls: 20, transport: "un" }), 20);
    all(await callee.result, 20);
    const after = await cluster.requests("INVITE");
    console.log("INVITEs handled, before and after:", before, after);
    for (const [node, count] of Object.entries(after)) expect(count, node).toBeGreaterThan(before[node] ?? 0);
  });

  test("486 of a busy callee reaches the caller", async () => {
    await using callee = await startSipp({ scenario: "answer-busy", ...bob(), calls: 5 });
    all(await sipp({ scenario: "call-busy", ...alice(), callee: "bob", calls: 5, transport: "un" }), 5);
    all(await callee.result, 5);
  });

  test("without an answer the caller's CANCEL stops the ringing: 200 to CANCEL and 487 to INVITE", async () => {
    await using callee = await startSipp({ scenario: "answer-ringing", ...bob(), calls: 5 });
    all(
      await sipp({
        scenario: "call-cancel",
        ...alice(),
        callee: "bob",
        calls: 5,
        transport: "un",
        pauseMs: 500,
      }),
      5,
    );
    all(await callee.result, 5);
  });

  test("404 for an unknown user, 480 for a user without a binding", async () => {
    all(await sipp({ scenario: "call-unknown", ...alice(), callee: "nobody" }), 1);
    all(await sipp({ scenario: "call-not-registered", ...alice(), callee: "carol" }), 1);
  });

  const alice = () => ({ exchange: cluster.front, login: login("alice") });
  const bob = () => ({ exchange: cluster.front, login: login("bob"), port: calleePort });
});

/** All runs followed the scenario, and sipp received nothing unexpected. */
function all(result: SippResult, calls: number): void {
  expect(result.errors).toBe("");
  expect(result).toMatchObject({ successful: calls, failed: 0 });
}
