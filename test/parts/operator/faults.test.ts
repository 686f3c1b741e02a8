import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startMariadb, type TestMariadb } from "../../support/mariadb.ts";
import { exchange, OperatorProcess, userYaml } from "./operator-process.ts";

let mariadb: TestMariadb;
let operator: OperatorProcess;

beforeEach(async () => {
  mariadb = await startMariadb();
  operator = new OperatorProcess(mariadb.url);
  operator.write("exchange.yaml", exchange);
});

afterEach(async () => {
  await operator[Symbol.asyncDispose]();
  await mariadb[Symbol.asyncDispose]();
});

const usernames = async (): Promise<readonly string[]> =>
  (await mariadb.query<{ username: string }>("SELECT username FROM subscriber ORDER BY username")).map(
    ({ username }) => username,
  );

test("after a restart the sweep removes the user of a file that was removed while the operator was down", async () => {
  operator.write("alice.yaml", userYaml("alice", "x"));
  operator.write("bob.yaml", userYaml("bob", "x"));
  await operator.start();
  await operator.becomes("SipUser", "alice", "Reconciled");
  await operator.becomes("SipUser", "bob", "Reconciled");
  expect(await operator.stop()).toBe(0);
  operator.remove("bob.yaml");
  await operator.start();
  await operator.eventually("bob is gone", async () => !(await usernames()).includes("bob"));
  expect(await usernames()).toEqual(["alice"]);
});

test("an invalid file deletes nothing and is reported with its line; valid objects beside it are used", async () => {
  operator.write("alice.yaml", userYaml("alice", "x"));
  operator.write("bob.yaml", userYaml("bob", "x"));
  await operator.start();
  await operator.becomes("SipUser", "bob", "Reconciled");
  operator.write("alice.yaml", userYaml("alice", "x").slice(0, -60));
  operator.remove("bob.yaml");
  operator.write("carol.yaml", userYaml("carol", "x"));
  await operator.becomes("SipUser", "carol", "Reconciled");
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect(await usernames()).toEqual(["alice", "bob", "carol"]);
  const { problems } = (await (await operator.get("/status")).json()) as {
    problems: { file: string; line: number; message: string }[];
  };
  expect(problems[0]).toMatchObject({
    file: expect.stringMatching(/alice\.yaml$/) as unknown,
    message: expect.stringContaining("missing") as unknown,
  });
  operator.write("alice.yaml", userYaml("alice", "x"));
  await operator.eventually("bob is gone", async () => !(await usernames()).includes("bob"));
});

test("a changed immutable field is refused with its line, and the row stays", async () => {
  operator.write("alice.yaml", userYaml("alice", "x"));
  await operator.start();
  await operator.becomes("SipUser", "alice", "Reconciled");
  operator.write("alice.yaml", userYaml("alice", "x", "", "alicia"));
  await operator.eventually("the refusal", () =>
    Promise.resolve(operator.log.includes("username is immutable; create a new SipUser")),
  );
  expect(operator.log).toMatch(/alice\.yaml:11: SipUser default\/alice: spec\.username/);
  expect(await usernames()).toEqual(["alice"]);
});

test("if more than 10 rows and more than 10 % disappear at once, none is removed, and the log reports it", async () => {
  const users = Array.from({ length: 12 }, (_, index) => userYaml(`user${index}`, "x"));
  operator.write("users.yaml", users.join("---\n"));
  await operator.start();
  await operator.becomes("SipUser", "user11", "Reconciled");
  operator.write("users.yaml", "# all gone\n");
  await operator.eventually("the refusal", () =>
    Promise.resolve(operator.log.includes("too many objects are gone at once")),
  );
  expect(await usernames()).toHaveLength(12);
});

test("during an outage of the database SipCluster and new objects report it, reconciled objects stay Ready, and afterwards all changes are applied", async () => {
  operator.write("alice.yaml", userYaml("alice", "x"));
  await operator.start();
  await operator.becomes("SipUser", "alice", "Reconciled");
  await mariadb.crash();
  operator.write("alice.yaml", userYaml("alice", "other")); // reconciled before new objects
  operator.write("bob.yaml", userYaml("bob", "x"));
  await operator.becomes("SipUser", "bob", "DatabaseUnavailable");
  await operator.becomes("SipCluster", "exchange", "DatabaseUnavailable", 20_000);
  expect((await operator.ready("SipUser", "alice")).reason).toBe("Reconciled");
  expect((await operator.ready("SipDomain", "example")).reason).toBe("Reconciled");
  expect((await operator.get("/healthz")).status).toBe(200);
  await mariadb.restart();
  await operator.becomes("SipUser", "bob", "Reconciled", 20_000);
  expect(await usernames()).toEqual(["alice", "bob"]);
});

test.each([
  ["all", undefined],
  ["one of OpenSIPS's", ["subscriber"]],
  ["one that a later migration changed", ["strowger_node", "strowger_claim"]],
] as const)(
  "dropped tables (%s) are created again with their rows, without a restart",
  async (_which, some) => {
    operator.write("alice.yaml", userYaml("alice", "x"));
    await operator.start();
    await operator.becomes("SipUser", "alice", "Reconciled");
    const columns = () =>
      mariadb.query<{ t: string; c: string }>(
        "SELECT TABLE_NAME AS t, COLUMN_NAME AS c FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1, 2",
      );
    const before = await columns();
    for (const table of some ?? new Set(before.map(({ t }) => t))) await mariadb.query(`DROP TABLE ${table}`);
    await operator.eventually(
      "the tables are there",
      async () => (await columns()).length === before.length,
      20_000,
    );
    expect(await columns()).toEqual(before);
    await operator.eventually("alice is there", async () => (await usernames()).includes("alice"), 20_000);
    await operator.eventually(
      "alice owns her row",
      async () =>
        (await mariadb.query("SELECT name FROM strowger_owner WHERE kind = 'SipUser' AND name = 'alice'"))
          .length === 1,
      20_000,
    );
    expect((await operator.get("/healthz")).status).toBe(200);
  },
);

test("if the database is unavailable at the start, the operator waits for it", async () => {
  await mariadb.stop();
  await operator.start();
  await operator.becomes("SipDomain", "example", "DatabaseUnavailable");
  expect((await operator.get("/readyz")).status).toBe(503);
  await mariadb.restart();
  await operator.becomes("SipDomain", "example", "Reconciled", 20_000);
  expect((await operator.get("/readyz")).status).toBe(200);
});

test("when a second operator takes over, the first cannot write any more and ends", async () => {
  await operator.start();
  await operator.becomes("SipDomain", "example", "Reconciled");
  await using second = new OperatorProcess(mariadb.url);
  second.write("exchange.yaml", exchange);
  await second.start();
  await second.becomes("SipDomain", "example", "Reconciled");
  operator.write("alice.yaml", userYaml("alice", "x"));
  expect(await operator.ended()).toBe(1);
  expect(operator.log).toContain("another operator has taken this database over");
  expect(await usernames()).toEqual([]);
});

test("500 users at once", async () => {
  const users = Array.from({ length: 500 }, (_, index) =>
    userYaml(`user${index}`, `password${index}`, `  aliases: ["${1000 + index}"]\n`),
  );
  operator.write("users.yaml", users.join("---\n"));
  const start = performance.now();
  await operator.start();
  await operator.eventually("500 subscribers", async () => (await usernames()).length === 500, 60_000);
  console.log(`500 users: ${Math.round(performance.now() - start)} ms from the start of the process`);
  await operator.becomes("SipUser", "user499", "Reconciled");
  expect(await mariadb.query("SELECT COUNT(*) AS n FROM dbaliases")).toEqual([{ n: 500 }]);
  expect(operator.log).not.toMatch(/InternalError/);
});

test("if an operator is killed while it writes 200 users, the next one finishes, and no user has only some of its rows", async () => {
  const users = Array.from({ length: 200 }, (_, index) =>
    userYaml(`user${index}`, "x", `  aliases: ["${1000 + index}"]\n`),
  );
  operator.write("users.yaml", users.join("---\n"));
  await operator.start();
  await operator.eventually("some users exist", async () => (await usernames()).length > 20);
  await operator.stop("SIGKILL");
  const tables = ["strowger_subscriber", "dbaliases", "strowger_owner WHERE kind = 'SipUser'"];
  const counts = async () =>
    Promise.all(
      tables.map(async (table) =>
        Number((await mariadb.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`))[0]?.n),
      ),
    );
  const written = (await usernames()).length;
  expect(written).toBeLessThan(200);
  expect(await counts()).toEqual([written, written, written]);
  await operator.start();
  await operator.eventually("all users exist", async () => (await usernames()).length === 200);
  await operator.becomes("SipUser", "user199", "Reconciled");
  expect(await counts()).toEqual([200, 200, 200]);
});

test("a database of OpenSIPS 2.1 in latin1, without ha1_sha256, is served unchanged", async () => {
  await mariadb.query(
    `CREATE TABLE subscriber (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, username CHAR(64) DEFAULT '' NOT NULL,
       domain CHAR(64) DEFAULT '' NOT NULL, password CHAR(25) DEFAULT '' NOT NULL, email_address CHAR(64) DEFAULT '' NOT NULL,
       ha1 CHAR(64) DEFAULT '' NOT NULL, ha1b CHAR(64) DEFAULT '' NOT NULL, rpid CHAR(64),
       CONSTRAINT account_idx UNIQUE (username, domain)) DEFAULT CHARACTER SET latin1`,
  );
  await mariadb.query(
    "INSERT INTO subscriber (username, domain, password) VALUES ('Alice', 'example.com', 'theirs')",
  );
  operator.write("alice.yaml", userYaml("alice", "x"));
  operator.write("bob.yaml", userYaml("bob", "x"));
  await operator.start();
  await operator.becomes("SipUser", "bob", "Reconciled");
  expect(await operator.becomes("SipUser", "alice", "Conflict")).toContain("Alice@example.com");
  expect(await mariadb.query("SELECT username, password FROM subscriber ORDER BY id")).toEqual([
    { username: "Alice", password: "theirs" },
    { username: "bob", password: "" },
  ]);
  const hashes =
    "SELECT s.ha1b, ss.ha1b AS beside FROM subscriber s JOIN strowger_subscriber ss USING (username)";
  expect(await mariadb.query(`${hashes} WHERE username = 'bob'`)).toEqual([
    { ha1b: createHash("md5").update("bob@example.com:test:x").digest("hex"), beside: "" },
  ]);
});

test("with a schema that needs a newer version the operator ends with one clear message", async () => {
  await operator.start();
  await operator.becomes("SipDomain", "example", "Reconciled");
  await operator.stop();
  await mariadb.query(
    "INSERT INTO strowger_migration (number, name, checksum, creates, finished, started_at, serves_from) VALUES (99, 'later', '', '', 1, NOW(), 99)",
  );
  operator.log = "";
  await operator.start().catch(() => undefined); // it may end before it listens
  expect(await operator.ended()).toBe(1);
  expect(operator.log).toContain("the database cannot be served: the schema has migration 0099-later");
});

test("all problems of an invalid configuration are in one report, without passwords", async () => {
  const wrong = new OperatorProcess("mysql://root:geheim@127.0.0.1/");
  await expect(wrong.start()).rejects.toThrow(/STROWGER_MYSQL_URL contains no database name/);
  expect(await wrong.ended()).toBe(2);
  expect(wrong.log).not.toContain("geheim");
  await wrong[Symbol.asyncDispose]();
});
