/**
 * A node as in a pod: files in mounted folders whose `..data` link the kubelet replaces, probes on one port, control on loopback
 * (design-sip rules 18 and 20). The process and the database are real.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freeTcpPort, freeUdpPort } from "../../../cli/src/up/free-port.ts";
import { scrape, total } from "../../../cli/src/up/metrics.ts";
import { schemaRange } from "../../../sip-node/src/adapters/mysql/node-table.ts";
import { startChild, type TestChild } from "../../support/child.ts";
import { TestCluster, passwordOf } from "../../support/test-cluster.ts";
import { describeWith } from "../../support/needs.ts";
import { Phone } from "../../support/phone.ts";
import { status } from "../../support/sip-text.ts";

const domain = "parts.example";
const main = resolve(import.meta.dirname, "../../../sip-node/src/main.ts");
const pollOptions = { timeout: 15_000, interval: 100 };

/** A folder whose files change atomically, as the kubelet does it. */
class Mount {
  readonly folder: string;
  #version = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    this.#version += 1;
    const version = `..version-${this.#version}`;
    await mkdir(join(this.folder, version), { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(this.folder, version, name), text);
      if (this.#version === 1) await symlink(join("..data", name), join(this.folder, name));
    }
    await symlink(version, join(this.folder, "..data-new"));
    await rename(join(this.folder, "..data-new"), join(this.folder, "..data"));
    if (this.#version > 1) await rm(join(this.folder, `..version-${this.#version - 1}`), { recursive: true });
  }
}

const key = (id: string) => ({ id, key: randomBytes(32).toString("base64"), dropAfter: null });

describeWith(["mariadb"], "a node in a pod", () => {
  let cluster: TestCluster;
  let sip: { address: string; port: number };
  let http: string;
  let control: string;
  let node: TestChild;
  let [configMount, keysMount, mysqlMount]: Mount[] = [];
  let config: Record<string, unknown>;
  const ring = { keys: [key("1")] };

  beforeAll(async () => {
    cluster = await TestCluster.start({ front: "shared port", nodes: 0 });
    await cluster.insertUsers(domain, ["alice", "bob"]);
    await cluster.database.query("CREATE USER node IDENTIFIED BY 'first'");
    await cluster.database.query("GRANT ALL ON strowger.* TO node");
    const [httpPort, controlPort] = [await freeTcpPort("127.0.0.1", 0), await freeTcpPort("127.0.0.1", 0)];
    [http, control] = [`http://127.0.0.1:${httpPort}`, `http://127.0.0.1:${controlPort}`];
    sip = { address: "127.0.0.1", port: await freeUdpPort("127.0.0.1") };
    [configMount, keysMount, mysqlMount] = ["config", "keys", "mysql"].map(
      (name) => new Mount(join(cluster.folder, name)),
    );
    config = {
      name: "overridden",
      sip: { listen: `127.0.0.1:${sip.port}`, advertise: `127.0.0.1:${sip.port}`, direct: "127.0.0.1:0" },
      cluster: { listen: "0.0.0.0:0" },
      http: { listen: `127.0.0.1:${httpPort}` },
      control: { listen: `127.0.0.1:${controlPort}` },
      mysql: {
        hosts: [`127.0.0.1:${cluster.database.port}`],
        database: "strowger",
        credentialsDirectory: mysqlMount!.folder,
      },
      outside: { ranges: ["10.0.0.0/8"] },
    };
    await configMount!.write({ "config.json": JSON.stringify(config) });
    await keysMount!.write({ "keys.json": JSON.stringify(ring) });
    await mysqlMount!.write({ username: "node", password: "first" });
    await cluster.database.query(
      `INSERT INTO strowger_migration (number, name, checksum, creates, started_at, finished, serves_from)
        VALUES (998, 'additive', '', '', NOW(), 1, 1), (999, 'breaking', '', '', NOW(), 0, 999)`,
    );
    node = startChild(process.execPath, [main], {
      env: {
        STROWGER_CONFIG: join(configMount!.folder, "config.json"),
        STROWGER_KEYS: join(keysMount!.folder, "keys.json"),
        STROWGER_NODE_NAME: "voice-nodes-x",
        STROWGER_POD_IP: "127.0.0.1",
      },
    });
  });
  afterAll(async () => {
    await node?.end("SIGINT");
    await cluster[Symbol.asyncDispose]();
  });

  const page = async (url: string, method = "GET") => await fetch(url, { method }).catch(() => undefined);
  const nodeStatus = async () =>
    (await (await page(`${control}/status`))?.json()) as Record<string, unknown> | undefined;
  const row = async () => (await cluster.database.query("SELECT * FROM strowger_node"))[0];
  const metric = async (name: string) => total((await scrape(`${http}/metrics`)) ?? [], name, {});
  const hashOf = async () =>
    createHash("sha256")
      .update(await readFile(join(configMount!.folder, "config.json")))
      .update("\n")
      .update(await readFile(join(keysMount!.folder, "keys.json")))
      .digest("hex");
  const phone = (username: string) =>
    Phone.open({ login: { username, domain, password: passwordOf(username) }, exchange: sip });

  test("with an unsupported schema, started or complete, the node is alive and not ready, and reports it; newer additive migrations do not matter (design-kubernetes rule 9)", async () => {
    await expect.poll(async () => (await page(`${http}/readyz`))?.status, pollOptions).toBe(503);
    await expect
      .poll(() => node.output(), pollOptions)
      .toContain(
        `schema is 998, for programs that know 999 or later, and this node knows up to ${schemaRange.max}`,
      );
    expect((await page(`${http}/healthz`))?.status).toBe(200);
    expect(await row()).toBeUndefined();
    // The migration starts just as the node writes its row: the node checks again, and deletes its row.
    await cluster.database.query(
      `CREATE TRIGGER meanwhile AFTER INSERT ON strowger_node FOR EACH ROW INSERT IGNORE INTO strowger_migration
         (number, name, checksum, creates, started_at, serves_from) VALUES (1000, 'meanwhile', '', '', NOW(), 1000)`,
    );
    await cluster.database.query("DELETE FROM strowger_migration WHERE number = 999");
    await expect.poll(() => node.output(), pollOptions).toContain("for programs that know 1000 or later");
    await expect.poll(row, pollOptions).toBeUndefined();
    expect((await page(`${http}/readyz`))?.status).toBe(503);
    await cluster.database.query("DROP TRIGGER meanwhile");
    await cluster.database.query("DELETE FROM strowger_migration WHERE number = 1000");
    await expect.poll(async () => (await page(`${http}/readyz`))?.status, pollOptions).toBe(200);
  });

  test("its row has its identity, its schema range and the hash of its configuration", async () => {
    expect(await row()).toMatchObject({
      name: "voice-nodes-x",
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      schema_min: schemaRange.min,
      schema_max: schemaRange.max,
      configuration_hash: await hashOf(),
      draining: 0,
      outside_seen_at: 0,
      database_error: "",
    });
  });

  test("calls, requests and a datagram from outside are in its next heartbeats", async () => {
    using alice = await phone("alice");
    using bob = await phone("bob");
    for (const one of [alice, bob]) expect(status(await one.register())).toBe(200);
    await alice.inDialog("BYE", await alice.call("bob")).final;
    await expect.poll(async () => (await row())?.["calls_per_minute"], pollOptions).toBe(1);
    const { requests_per_minute: requests, outside_seen_at: seen } = (await row()) ?? {};
    expect(requests).toBe(7); // REGISTER and INVITE twice each, for their challenges, and BYE
    const [{ now }] = (await cluster.database.query("SELECT UNIX_TIMESTAMP(NOW(3)) * 1000 AS now")) as [
      { now: string },
    ];
    expect(Math.abs(Number(seen) - Number(now))).toBeLessThan(60_000);
    expect(await metric("strowger_calls_total")).toBe(1);
  });

  test("a new file takes effect and its hash is in the row; fields that need a restart are reported", async () => {
    config = { ...config, peers: ["127.0.0.1"], http: { listen: "127.0.0.1:1" } };
    await configMount!.write({ "config.json": JSON.stringify(config) });
    await expect.poll(async () => (await row())?.["configuration_hash"], pollOptions).toBe(await hashOf());
    expect(await nodeStatus()).toMatchObject({
      configurationHash: await hashOf(),
      configurationProblems: [],
      configurationRestarts: ["http.listen"],
    });
    using alice = await phone("alice");
    using bob = await phone("bob");
    expect(status(await bob.register())).toBe(200);
    const dialog = await alice.call("bob"); // the caller is a peer now
    expect(alice.transcript()).not.toContain("SIP/2.0 407");
    expect(status(await alice.inDialog("BYE", dialog).final)).toBe(200);
    config = { ...config, peers: [], http: { listen: http.slice(7) } };
    await configMount!.write({ "config.json": JSON.stringify(config) });
    await expect.poll(async () => (await row())?.["configuration_hash"], pollOptions).toBe(await hashOf());
  });

  test("files with problems: the last valid ones stay in effect, and the problems are logged and counted", async () => {
    const before = await hashOf();
    await configMount!.write({ "config.json": JSON.stringify({ ...config, peers: ["nobody"] }) });
    await keysMount!.write({ "keys.json": "{}" });
    await expect.poll(() => metric("strowger_configuration_problems"), pollOptions).toBe(2);
    expect(await nodeStatus()).toMatchObject({ configurationHash: before, stage: "serving" });
    await configMount!.write({ "config.json": JSON.stringify(config) });
    await keysMount!.write({ "keys.json": JSON.stringify(ring) });
    await expect.poll(() => metric("strowger_configuration_problems"), pollOptions).toBe(0);
  });

  test("a call continues while the keys are rotated", async () => {
    using alice = await phone("alice");
    using bob = await phone("bob");
    for (const one of [alice, bob]) expect(status(await one.register())).toBe(200);
    const dialog = await alice.call("bob");
    await keysMount!.write({ "keys.json": JSON.stringify({ keys: [...ring.keys, key("2")] }) });
    await expect.poll(async () => (await row())?.["configuration_hash"], pollOptions).toBe(await hashOf());
    expect(status(await alice.inDialog("INFO", dialog).final)).toBe(200);
    expect(status(await alice.inDialog("BYE", dialog).final)).toBe(200);
    expect(status(await bob.register())).toBe(200);
  });

  test("after a change of MySQL's password new connections use it", async () => {
    await mysqlMount!.write({ username: "node", password: "second" });
    await cluster.database.query("ALTER USER node IDENTIFIED BY 'second'");
    const sessions = await cluster.database.query<{ id: number }>(
      "SELECT id FROM information_schema.processlist WHERE user = 'node'",
    );
    for (const { id } of sessions) await cluster.database.query(`KILL ${id}`);
    using bob = await phone("bob");
    await expect.poll(async () => status(await bob.register()), pollOptions).toBe(200);
  });

  test("a wrong password is reported in its row at once while open connections still work; a correct one removes the report", async () => {
    const problem = async () => String((await row())?.["database_error"]);
    await mysqlMount!.write({ username: "node", password: "wrong" });
    await expect.poll(problem, pollOptions).toMatch(/^Access denied for user 'node'/);
    expect(await problem()).not.toContain("wrong");
    expect((await page(`${http}/readyz`))?.status).toBe(200);
    await mysqlMount!.write({ username: "node", password: "second" });
    await expect.poll(problem, pollOptions).toBe("");
  });

  test("a web page cannot start a drain, nor read the status through another host name", async () => {
    const asked = (path: string, method: string, headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve) => {
        request(`${control}${path}`, { method, headers }, (answer) =>
          resolve(answer.resume().statusCode),
        ).end();
      });
    expect(await asked("/drain", "POST", { origin: "https://page.example" })).toBe(403);
    expect(await asked("/drain", "POST", { host: "page.example:8081" })).toBe(403);
    expect(await asked("/status", "GET", { host: "127.0.0.1.page.example" })).toBe(403);
    expect(await asked("/drain", "GET", {})).toBe(404);
    expect(await asked("/status", "GET", { host: "localhost:8081" })).toBe(200); // as with kubectl port-forward
    expect(await nodeStatus()).toMatchObject({ stage: "serving" });
  });

  test("POST /drain: the node stays ready, reports that it drains, and ends after the timeout that is configured then", async () => {
    const answer = await page(`${control}/drain`, "POST");
    expect(answer?.status).toBe(202);
    expect(await answer?.json()).toMatchObject({ stage: "draining", draining: true, ready: true });
    await expect.poll(async () => (await row())?.["draining"], pollOptions).toBe(1);
    expect([(await page(`${http}/readyz`))?.status, await metric("strowger_draining")]).toEqual([200, 1]);
    await configMount!.write({ "config.json": JSON.stringify({ ...config, drain: { timeoutSeconds: 1 } }) });
    expect(await node.exited).toBe(0);
    expect(await row()).toBeUndefined();
  });
});
