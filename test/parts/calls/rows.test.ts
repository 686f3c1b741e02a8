/** Rows that another program wrote into OpenSIPS's tables, and domains that are not served. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster, passwordOf } from "../../support/test-cluster.ts";
import { describeWith } from "../../support/needs.ts";
import { header, status } from "../../support/sip-text.ts";

describeWith(["mariadb"], "rows written by hand", () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await TestCluster.start({ front: "shared port", nodes: 1 });
    await cluster.insertUsers("hand.example", ["alice", "bob"]);
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  test("with rows in domain and subscriber and a plain password a phone can register and call", async () => {
    using alice = await cluster.phone("alice", "hand.example");
    using bob = await cluster.phone("bob", "hand.example");
    expect(status(await alice.register())).toBe(200);
    expect(status(await bob.register())).toBe(200);
    const dialog = await alice.call("bob");
    expect(status(await alice.inDialog("BYE", dialog).final)).toBe(200);
  });

  test("the same with a subscriber row with an HA1 and no password", async () => {
    await cluster.database.query(
      "INSERT INTO subscriber (username, domain, password, ha1) VALUES ('dora', 'hand.example', '', MD5(?))",
      [`dora:hand.example:${passwordOf("dora")}`],
    );
    using dora = await cluster.phone("dora", "hand.example");
    expect(status(await dora.register())).toBe(200);
  });

  test("REGISTER for a domain that is not served: 404 with a Warning that names it", async () => {
    using stranger = await cluster.phone("alice", "unserved.example");
    const response = await stranger.register();
    expect(status(response)).toBe(404);
    expect(header(response, "warning")).toMatch(/^399 \S+ ".*unserved\.example.*"$/);
  });

  test("a call to a domain that is not served: 404 with a Warning, and no loop", async () => {
    using alice = await cluster.phone("alice", "hand.example");
    const response = await alice.invite("sip:bob@unserved.example").final;
    expect(status(response)).toBe(404);
    expect(header(response, "warning")).toContain("unserved.example");
    expect(await cluster.requests("INVITE")).toEqual({ "node-a": expect.any(Number) as number });
  });
});
