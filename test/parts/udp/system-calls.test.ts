/**
 * The system calls of the engine `batched`, counted by strace: of a burst, and of whole calls through a node. Counts only. A loaded machine
 * makes batches larger, so the bounds hold on it too.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildUdpAddon } from "../../../native/udp/build.mjs";
import { startChild } from "../../support/child.ts";
import { describeWith } from "../../support/needs.ts";
import { sipp, startSipp } from "../../support/sipp.ts";
import { TestCluster } from "../../support/test-cluster.ts";
import { freeUdpPort } from "../../../cli/src/up/free-port.ts";

const traced = "sendmsg,sendto,sendmmsg,recvmsg,recvfrom,recvmmsg";

describeWith(["cc", "strace", "sipp", "mariadb"], "system calls of the engine batched", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "strowger-strace-"));
    expect(buildUdpAddon()).toMatch(/^(compiled|up to date)$/);
  });
  afterAll(async () => rm(folder, { recursive: true, force: true }));

  test("a burst of 640 datagrams in one turn: 10 sendmmsg, and 10 recvmmsg", async () => {
    const file = join(folder, "burst");
    const program = join(import.meta.dirname, "burst-program.ts");
    const args = ["-f", "-c", "-e", `trace=${traced}`, "-o", file, process.execPath, program, "640"];
    await using child = startChild("strace", args);
    expect(await child.exited, child.output()).toBe(0);
    expect(child.output()).toContain("received 640");
    expect(await readCounts(file)).toEqual(
      new Map([
        ["sendmmsg", 10],
        ["recvmmsg", 10],
      ]),
    ); // prettier-ignore
  });

  test("200 calls: no system call for a single datagram, and at most one for each datagram", async () => {
    const calls = 200;
    await using cluster = await TestCluster.start({
      front: "shared port",
      nodes: 1,
      peers: ["127.0.0.1"],
      udpEngine: "batched",
    });
    const domain = "calls.example";
    await cluster.insertUsers(domain, ["alice", "bob"]);
    const exchange = cluster.front;
    const port = await freeUdpPort("127.0.0.1");
    const login = (username: string) => ({ username, domain, password: `${username}-secret` });
    const callee = { exchange, login: login("bob"), port };
    expect((await sipp({ scenario: "register", ...callee, lifetime: 3600 })).successful).toBe(1);
    await using answering = await startSipp({
      scenario: "answer",
      ...callee,
      calls,
      rate: 200,
      timeoutSeconds: 100,
    });
    const file = join(folder, "calls");
    const [node] = cluster.nodes;
    const strace = startChild("strace", [
      "-f",
      "-c",
      "-e",
      `trace=${traced}`,
      "-o",
      file,
      "-p",
      `${node?.child.pid}`,
    ]);
    await until(() => strace.output().includes("attached"));
    const result = await sipp({
      scenario: "call-open",
      exchange,
      login: login("alice"),
      callee: "bob",
      transport: "un",
      rate: 200,
      pauseMs: 500,
      calls,
      timeoutSeconds: 100,
    });
    await strace.end("SIGINT");
    await answering[Symbol.asyncDispose]();
    expect(result.failed).toBe(0);
    const counts = await readCounts(file);
    console.log(
      `system calls of ${calls} calls: ${[...counts].map(([name, count]) => `${name} ${count}`).join(", ")}`,
    );
    expect([...counts.keys()].sort()).toEqual(["recvmmsg", "sendmmsg"]);
    // A call has 6 datagrams in and 7 out: INVITE, 100, 180, 200, ACK, BYE, 200. Some are sent twice; pings of peers do not occur.
    expect(counts.get("recvmmsg")).toBeLessThanOrEqual(calls * 7);
    expect(counts.get("sendmmsg")).toBeLessThanOrEqual(calls * 8);
  });
});

/** The counts of `strace -c`, by the name of the system call. */
async function readCounts(file: string): Promise<ReadonlyMap<string, number>> {
  const lines = (await readFile(file, "utf8")).split("\n").map((line) => line.trim().split(/\s+/));
  return new Map(
    lines.flatMap((fields) => {
      const name = fields.at(-1) ?? "";
      return traced.split(",").includes(name) ? [[name, Number(fields[3])] as const] : [];
    }),
  );
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 3000 && !condition(); i++) await new Promise((done) => setTimeout(done, 10));
  expect(condition()).toBe(true);
}
