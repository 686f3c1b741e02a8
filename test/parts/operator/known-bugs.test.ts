/**
 * Reported bugs of other operators for databases and users, tested with this operator. Each test names the public report. MariaDB is real,
 * and the operator is a process with a folder of files.
 */
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
  await operator.start();
  await operator.becomes("SipDomain", "example", "Reconciled");
});

afterEach(async () => {
  await operator[Symbol.asyncDispose]();
  await mariadb[Symbol.asyncDispose]();
});

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

const ha1Of = async (name: string, domain = "example.com"): Promise<string | undefined> =>
  (
    await mariadb.query<{ ha1: string }>("SELECT ha1 FROM subscriber WHERE username = ? AND domain = ?", [
      name,
      domain,
    ])
  )[0]?.ha1;

const documents = (text: string): { readonly secret: string; readonly user: string } => {
  const [secret = "", user = ""] = text.split("---\n");
  return { secret, user };
};

test("cloudnative-pg 9677: a deleted Secret does not remove the password; the object's condition reports it", async () => {
  const { secret, user } = documents(userYaml("alice", "first"));
  operator.write("secret.yaml", secret);
  operator.write("user.yaml", user);
  await operator.becomes("SipUser", "alice", "Reconciled");
  operator.remove("secret.yaml");
  await operator.becomes("SipUser", "alice", "SecretNotFound");
  expect(await ha1Of("alice")).toBe(md5("alice:test:first"));
  operator.write("secret.yaml", secret.replace("first", "second"));
  await operator.becomes("SipUser", "alice", "Reconciled");
  expect(await ha1Of("alice")).toBe(md5("alice:test:second"));
});

test("db-operator 452 and 352: a user, its Secret and its domain that are deleted together are all removed, in any order", async () => {
  operator.write("alice.yaml", userYaml("alice", "first", '  aliases: ["100"]\n'));
  await operator.becomes("SipUser", "alice", "Reconciled");
  operator.remove("alice.yaml");
  operator.write("exchange.yaml", exchange.split("---\n")[0] ?? "");
  await operator.eventually("no row is left", async () => {
    const [left] = await mariadb.query<{ n: number }>(
      "SELECT (SELECT COUNT(*) FROM subscriber) + (SELECT COUNT(*) FROM domain) + (SELECT COUNT(*) FROM dbaliases) AS n",
    );
    return Number(left?.n) === 0;
  });
});

test("strimzi 2393: no row of a deleted user stays in any table, except for the version of its address of record, which never starts again", async () => {
  operator.write("alice.yaml", userYaml("alice", "first", '  aliases: ["alice100"]\n  maxContacts: 2\n'));
  await operator.becomes("SipUser", "alice", "Reconciled");
  await mariadb.query(
    "INSERT INTO location (contact_id, username, domain, contact, expires) VALUES (1, 'alice', 'example.com', 'sip:x', 4000000000)",
  );
  const columns = await mariadb.query<{ of: string; column: string }>(
    "SELECT table_name AS `of`, column_name AS `column` FROM information_schema.columns WHERE table_schema = DATABASE() AND data_type IN ('char', 'varchar', 'text', 'mediumtext', 'longtext', 'json') AND table_name <> 'strowger_aor'",
  );
  const tablesWithAlice = async (): Promise<readonly string[]> => {
    const found = new Set<string>();
    for (const { of, column } of columns)
      if ((await mariadb.query(`SELECT 1 FROM \`${of}\` WHERE \`${column}\` LIKE '%alice%'`)).length > 0)
        found.add(of);
    return [...found].sort();
  };
  expect(await tablesWithAlice()).toEqual(
    expect.arrayContaining(["dbaliases", "location", "strowger_claim", "strowger_owner", "subscriber"]),
  );
  operator.remove("alice.yaml");
  await operator.eventually(
    "no table has rows of alice",
    async () => (await tablesWithAlice()).length === 0,
    60_000,
  );
});

test("strimzi 12020: an existing Secret is not replaced by a generated one with the same name", async () => {
  const secret =
    "apiVersion: v1\nkind: Secret\nmetadata: { name: alice-sip-password }\nstringData: { password: theirs }\n";
  const { user } = documents(userYaml("alice", "x"));
  operator.write("secret.yaml", secret);
  operator.write("user.yaml", user.replace(/passwordSecretRef.*/, "generatePassword: true"));
  const message = await operator.becomes("SipUser", "alice", "SecretConflict");
  expect(message).toContain("was not generated for this user");
  expect(await ha1Of("alice")).toBeUndefined();
  operator.remove("secret.yaml");
  await operator.becomes("SipUser", "alice", "Reconciled");
  expect(await ha1Of("alice")).not.toBe(md5("alice:test:theirs"));
});

test("cloudnative-pg 11392: additional algorithms of a domain need no new passwords", async () => {
  operator.write("alice.yaml", userYaml("alice", "first"));
  await operator.becomes("SipUser", "alice", "Reconciled");
  operator.write("exchange.yaml", `${exchange}  auth: { algorithms: [SHA-256] }\n`);
  await operator.eventually("the domain has them", async () => {
    const [row] = await mariadb.query<{ algorithms: string }>(
      "SELECT algorithms FROM strowger_domain WHERE domain = 'example.com'",
    );
    return row?.algorithms.includes("SHA-256") === true;
  });
  const [row] = await mariadb.query<{ ha1_sha256: string }>("SELECT ha1_sha256 FROM subscriber");
  expect(row?.ha1_sha256).toBe(sha256("alice:test:first"));
});

test("mariadb-operator 362: a changed key of a Secret reaches every row, also with one Secret for two users", async () => {
  const shared = (password: string): string =>
    `apiVersion: v1\nkind: Secret\nmetadata: { name: shared }\nstringData: { password: ${password} }\n`;
  operator.write("shared.yaml", shared("first"));
  for (const name of ["alice", "bob"])
    operator.write(`${name}.yaml`, documents(userYaml(name, "x")).user.replace(`${name}-secret`, "shared"));
  for (const name of ["alice", "bob"]) await operator.becomes("SipUser", name, "Reconciled");
  operator.write("shared.yaml", shared("second"));
  await operator.eventually("both rows", async () => {
    const rows = await Promise.all(["alice", "bob"].map(async (name) => await ha1Of(name)));
    return rows[0] === md5("alice:test:second") && rows[1] === md5("bob:test:second");
  });
});

test("percona-server-mongodb 1971: a password with a line break is refused with the reason, and accepted without it", async () => {
  const { secret, user } = documents(userYaml("alice", "first"));
  operator.write("user.yaml", user);
  operator.write("secret.yaml", secret.replace("{ password: first }", "\n  password: |\n    first"));
  const message = await operator.becomes("SipUser", "alice", "InvalidSecret");
  expect(message).toContain("ends with a line break");
  expect(await ha1Of("alice")).toBeUndefined();
  operator.write("secret.yaml", secret);
  await operator.becomes("SipUser", "alice", "Reconciled");
  expect(await ha1Of("alice")).toBe(md5("alice:test:first"));
});

test("mariadb-operator 104: a user whose username differs from the object's name is removed by its username", async () => {
  operator.write("a.yaml", userYaml("object", "one", "", "person"));
  operator.write("b.yaml", userYaml("person", "two", "", "object"));
  await operator.becomes("SipUser", "object", "Reconciled");
  await operator.becomes("SipUser", "person", "Reconciled");
  operator.remove("a.yaml");
  await operator.eventually("person is gone", async () => (await ha1Of("person")) === undefined);
  expect(await ha1Of("object")).toBe(md5("object:test:two"));
});

test("usernames that differ only in case are two users, each with its own row and password", async () => {
  operator.write("a.yaml", userYaml("lower", "one", "", "alice"));
  operator.write("b.yaml", userYaml("upper", "two", "", "Alice"));
  await operator.becomes("SipUser", "lower", "Reconciled");
  await operator.becomes("SipUser", "upper", "Reconciled");
  expect([await ha1Of("alice"), await ha1Of("Alice")]).toEqual([
    md5("alice:test:one"),
    md5("Alice:test:two"),
  ]);
  operator.remove("b.yaml");
  await operator.eventually("one is gone", async () => (await ha1Of("Alice")) === undefined);
  expect(await ha1Of("alice")).toBe(md5("alice:test:one"));
});
