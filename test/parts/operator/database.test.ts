import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { parseDatabaseUrl, type DatabaseAddress } from "../../../operator/src/adapters/mysql/database-url.ts";
import { DatabaseUnavailable } from "../../../operator/src/adapters/mysql/database-unavailable.ts";
import { Database, DuplicateKey } from "../../../operator/src/adapters/mysql/database.ts";
import { startMariadb, type TestMariadb } from "../../support/mariadb.ts";

let mariadb: TestMariadb;
let database: Database;

beforeAll(async () => {
  mariadb = await startMariadb();
  database = new Database(parseDatabaseUrl(mariadb.url) as DatabaseAddress);
  await mariadb.query("CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL) ENGINE=InnoDB");
});

afterAll(async () => {
  await database.close();
  await mariadb[Symbol.asyncDispose]();
});

test("after a deadlock both transactions are committed, one of them at its second attempt", async () => {
  await mariadb.query("INSERT INTO t VALUES (1, 0), (2, 0)");
  let attempts = 0;
  let locked = 0;
  let allowSecond = (): void => undefined;
  const bothLocked = new Promise<void>((resolve) => (allowSecond = resolve));
  const incrementBoth = (first: number, second: number) =>
    database.transaction(async (transaction) => {
      attempts += 1;
      await transaction.run("UPDATE t SET v = v + 1 WHERE id = ?", [first]);
      locked += 1;
      if (locked === 2) allowSecond();
      await bothLocked;
      await transaction.run("UPDATE t SET v = v + 1 WHERE id = ?", [second]);
    });
  await Promise.all([incrementBoth(1, 2), incrementBoth(2, 1)]);
  expect(attempts).toBe(3);
  expect(await mariadb.query("SELECT v FROM t ORDER BY id")).toEqual([{ v: 2 }, { v: 2 }]);
});

test("a failed transaction writes nothing", async () => {
  const failing = database.transaction(async (transaction) => {
    await transaction.run("INSERT INTO t VALUES (10, 0)");
    throw new Error("planted");
  });
  await expect(failing).rejects.toThrow("planted");
  expect(await mariadb.query("SELECT id FROM t WHERE id = 10")).toEqual([]);
});

test("an existing row is a DuplicateKey, not an outage", async () => {
  await database.run("INSERT INTO t VALUES (20, 0)");
  await expect(database.run("INSERT INTO t VALUES (20, 0)")).rejects.toBeInstanceOf(DuplicateKey);
});

test("a statement without an answer fails with DatabaseUnavailable at its time limit, and its connection is not used again", async () => {
  await using hasty = new Database(parseDatabaseUrl(mariadb.url) as DatabaseAddress, { statementLimit: 300 });
  const start = performance.now();
  await expect(hasty.rows("SELECT SLEEP(30)")).rejects.toThrow(/no answer within 300 ms/);
  expect(performance.now() - start).toBeLessThan(15_000); // and not the 30 s of the statement
  expect(await hasty.rows("SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test("while the server is unavailable every call fails within the connect limit; afterwards calls work again", async () => {
  await mariadb.crash();
  const calls = await Promise.all(
    Array.from({ length: 50 }, () => database.rows("SELECT 1").catch((error: unknown) => error)),
  );
  for (const result of calls) expect(result).toBeInstanceOf(DatabaseUnavailable);
  const start = performance.now();
  await expect(database.rows("SELECT 1")).rejects.toThrow(/the last attempt to connect failed just now/);
  expect(performance.now() - start).toBeLessThan(15_000);
  await mariadb.restart();
  await expect
    .poll(() => database.rows("SELECT 1 AS one").catch(() => undefined), { timeout: 10_000 })
    .toEqual([{ one: 1 }]);
});

test("50 concurrent transactions that increment one number all count", async () => {
  await mariadb.query("INSERT INTO t VALUES (30, 0)");
  await Promise.all(
    Array.from({ length: 50 }, () =>
      database.transaction((transaction) => transaction.run("UPDATE t SET v = v + 1 WHERE id = 30")),
    ),
  );
  expect(await mariadb.query("SELECT v FROM t WHERE id = 30")).toEqual([{ v: 50 }]);
});

test("tls=encrypt encrypts; tls=verify also refuses a server that cannot prove its name", async () => {
  const folder = mkdtempSync(join(tmpdir(), "strowger-tls-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-subj",
      "/CN=localhost",
      "-keyout",
      key,
      "-out",
      certificate,
    ],
    {
      stdio: "ignore",
    },
  );
  await using server = await startMariadb({ args: [`--ssl-key=${key}`, `--ssl-cert=${certificate}`] });
  const cipher = async (tls: string): Promise<string | undefined> => {
    await using tried = new Database(parseDatabaseUrl(`${server.url}?tls=${tls}`) as DatabaseAddress);
    return (await tried.rows<{ Value: string }>("SHOW STATUS LIKE 'Ssl_cipher'"))[0]?.Value;
  };
  expect(await cipher("off")).toBe("");
  expect(await cipher("encrypt")).toMatch(/^TLS_/);
  await expect(cipher("verify")).rejects.toThrow(/self-signed certificate/);
});
