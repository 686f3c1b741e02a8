/** Objects that are reconciled at the same time share reads and transactions, and no object fails because of another one. */
import { expect, test } from "vitest";
import { DuplicateKey } from "../../../operator/src/adapters/mysql/database.ts";
import { LeadershipLost, type Installation } from "../../../operator/src/adapters/mysql/installation.ts";
import { insertClaim } from "../../../operator/src/adapters/mysql/owners.ts";
import { domainSpec, installations, mariadb, reconcile, secret, source, userSpec } from "./kinds-setup.ts";

const owner = { kind: "SipUser", namespace: "voice", name: "alice" };

async function open(): Promise<Installation> {
  const installation = await installations.of("voice/main");
  if (installation === undefined) throw new Error("the database is not open");
  return installation;
}

const claim = (installation: Installation, name: string): Promise<void> =>
  installation.write((change) => insertClaim(change, "user", name, owner));

const claimed = async (): Promise<readonly string[]> =>
  (await mariadb.query<{ name: string }>("SELECT name FROM strowger_claim ORDER BY name")).map(
    ({ name }) => name,
  );

async function changeSeq(): Promise<number> {
  const [row] = await mariadb.query<{ seq: number }>("SELECT change_seq AS seq FROM strowger_meta");
  return Number(row?.seq);
}

test("work of the same time is one transaction", async () => {
  const installation = await open();
  await claim(installation, "first");
  const before = await changeSeq();
  await Promise.all(["a", "b", "c", "d", "e"].map((name) => claim(installation, name)));
  expect(await claimed()).toEqual(["a", "b", "c", "d", "e", "first"]);
  expect((await changeSeq()) - before).toBeLessThanOrEqual(2);
});

test("work that the database refuses fails alone, and the others of its transaction are committed", async () => {
  const installation = await open();
  await claim(installation, "first");
  const results = await Promise.allSettled(["a", "first", "c"].map((name) => claim(installation, name)));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(results[1]).toMatchObject({ reason: expect.any(DuplicateKey) as unknown });
  expect(await claimed()).toEqual(["a", "c", "first"]);
});

test("after another operator has taken the database over, no work of a shared transaction is written", async () => {
  const installation = await open();
  await mariadb.query("UPDATE strowger_meta SET epoch = epoch + 1");
  const results = await Promise.allSettled(["a", "b", "c"].map((name) => claim(installation, name)));
  for (const result of results)
    expect(result).toMatchObject({ reason: expect.any(LeadershipLost) as unknown });
  expect(await claimed()).toEqual([]);
});

test("users that are reconciled at the same time have their own rows, with few statements", async () => {
  source.put("SipDomain", "voice", "example", domainSpec());
  await reconcile("SipDomain", "voice/example");
  secret("voice/secret", "first", "1");
  const names = Array.from({ length: 20 }, (_, index) => `user${index}`);
  for (const name of names) source.put("SipUser", "voice", name, userSpec(name, { aliases: [`x-${name}`] }));
  const statements = async (): Promise<number> => {
    const [row] = await mariadb.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Questions'");
    return Number(row?.Value);
  };
  const before = await statements();
  const outcomes = await Promise.all(names.map((name) => reconcile("SipUser", `voice/${name}`)));
  expect(new Set(outcomes.map(({ reason }) => reason))).toEqual(new Set(["Reconciled"]));
  expect((await statements()) - before).toBeLessThan(names.length * 5);
  for (const [table, columns] of [
    ["subscriber", "username"],
    ["strowger_subscriber", "username"],
    ["dbaliases", "username"],
    ["strowger_owner WHERE kind = 'SipUser'", "name"],
  ] as const) {
    const rows = await mariadb.query<{ name: string }>(`SELECT ${columns} AS name FROM ${table}`);
    expect(rows.map(({ name }) => name).sort()).toEqual([...names].sort());
  }
});
