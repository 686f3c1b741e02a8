/** `strowger selftest` with nodes without Kubernetes: its steps, and its messages about a failure. */
import { resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startChild } from "../../support/child.ts";
import { TestCluster, passwordOf } from "../../support/test-cluster.ts";
import { describeWith } from "../../support/needs.ts";

const main = resolve(import.meta.dirname, "../../../cli/src/main.ts");
const domain = "selftest.example";

describeWith(["mariadb"], "strowger selftest --address", () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ front: "shared port", nodes: 2 });
    await cluster.insertUsers(domain, ["alice", "bob"]);
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  const selftest = async (...users: string[]) => {
    const { address, port } = cluster.front;
    const flags = users.flatMap((user) => ["--user", `${user}@${domain}`]);
    const args = [main, "selftest", "--address", `${address}:${port}`, "--timeout", "60", ...flags];
    await using child = startChild(process.execPath, args);
    return { status: await child.exited, output: child.output() };
  };

  test("two phones register, call and hang up; each step is printed, and no binding is left", async () => {
    const { status, output } = await selftest(`alice:${passwordOf("alice")}`, `bob:${passwordOf("bob")}`);
    expect(output).toMatch(
      /^bob@\S+ registered: 200 .*\nalice@\S+ registered: 200 .*\nINVITE bob: (100, )?180, 200\nACK: .*\nBYE: 200\nboth .*\nPASS\n$/,
    );
    expect(status).toBe(0);
    expect(
      await cluster.database.query("SELECT username FROM location WHERE expires > UNIX_TIMESTAMP()"),
    ).toEqual([]);
  });

  test("a wrong password is a failure with the received status", async () => {
    const { status, output } = await selftest(`alice:${passwordOf("alice")}`, "bob:wrong");
    expect(output).toMatch(/REGISTER of bob@selftest.example: answered 401 in \d+ attempts, expected 200/);
    expect(status).toBe(1);
  });
});

test("without a second user no request is sent", async () => {
  const args = [main, "selftest", "--address", "127.0.0.1:5060", "--user", `alice:secret@${domain}`];
  await using child = startChild(process.execPath, args);
  expect(await child.exited).toBe(1);
  expect(child.output()).toContain("--address needs --user exactly twice");
});
