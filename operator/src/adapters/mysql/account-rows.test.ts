import { expect, test } from "vitest";
import type { OwnerFields } from "../../ownership.ts";
import { readAccounts, type AccountQuery } from "./account-rows.ts";
import type { Installation } from "./installation.ts";

const query = (username: string, ...aliases: readonly string[]): AccountQuery => ({
  reference: { kind: "SipUser", namespace: "ns", name: username.toLowerCase() },
  username,
  aliases,
});

/** A database that finds subscribers without regard to case, as tables of other tools do. */
function start(subscribers: readonly string[]) {
  const statements: string[] = [];
  const rows = (sql: string, values: readonly unknown[]): Promise<readonly object[]> => {
    const table = /FROM (\w+)/.exec(sql)?.[1] ?? "";
    statements.push(table);
    const names = new Set(values.map((value) => String(value).toLowerCase()));
    const found = subscribers.filter((name) => names.has(name.toLowerCase()));
    if (table === "subscriber") return Promise.resolve(found.map((username) => ({ username, domain: "d" })));
    if (table === "dbaliases" && names.has("100"))
      return Promise.resolve([{ alias: "100", username: "carol", domain: "d" }]);
    return Promise.resolve([]);
  };
  const installation = { id: "i", database: { rows }, subscriber: {} } as unknown as Installation;
  const read = async (...users: readonly AccountQuery[]) =>
    (await readAccounts<OwnerFields>(installation, "d", users)).map((account) => [
      ...account.subscribers.map(({ username }) => username),
      ...account.aliases.map(({ alias }) => alias),
    ]);
  return { read, statements };
}

const perBatch = [
  "subscriber",
  "dbaliases",
  "strowger_claim",
  "strowger_owner",
  "strowger_subscriber",
  "location",
];

test("users of one domain are read together; a row is found by each user that requests its name", async () => {
  const { read, statements } = start(["alice", "bob"]);
  expect(await read(query("alice"), query("bob", "100"), query("carol", "100"))).toEqual([
    ["alice"],
    ["bob", "100"],
    ["100"],
  ]);
  expect(statements).toEqual(perBatch);
});

test("a row with another spelling is found by the user that a table takes it for: each user is read alone", async () => {
  const { read, statements } = start(["Alice", "bob"]);
  expect(await read(query("alice"), query("bob"))).toEqual([["Alice"], ["bob"]]);
  expect(statements).toEqual([...perBatch, ...perBatch, ...perBatch]);
});

test("users whose names differ only in case are read alone", async () => {
  const { read, statements } = start(["alice"]);
  expect(await read(query("alice"), query("ALICE"))).toEqual([["alice"], ["alice"]]);
  expect(statements).toEqual([...perBatch, ...perBatch]);
});
