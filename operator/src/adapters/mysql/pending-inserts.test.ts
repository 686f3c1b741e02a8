import { expect, test } from "vitest";
import type { Value } from "./database.ts";
import { PendingInserts } from "./pending-inserts.ts";

function start() {
  const sent: { readonly sql: string; readonly values: readonly Value[] }[] = [];
  const inserts = new PendingInserts({
    rows: () => Promise.reject(new Error("no row is read")),
    run: (sql, values = []) => Promise.resolve(sent.push({ sql, values })),
  });
  return { sent, inserts };
}

test("rows of one insertion are one statement, in the order of the first row of each insertion", async () => {
  const { sent, inserts } = start();
  const claims = { into: "INSERT INTO claim (name)" };
  const owners = {
    into: "INSERT INTO owner (name, uid)",
    orUpdate: "ON DUPLICATE KEY UPDATE uid = VALUES(uid)",
  };
  for (const name of ["a", "b"]) {
    inserts.add(claims, [name]);
    inserts.add(owners, [name, `uid-${name}`]);
  }
  await inserts.flush();
  await inserts.flush();
  expect(sent).toEqual([
    { sql: "INSERT INTO claim (name) VALUES (?), (?) ", values: ["a", "b"] },
    {
      sql: "INSERT INTO owner (name, uid) VALUES (?, ?), (?, ?) ON DUPLICATE KEY UPDATE uid = VALUES(uid)",
      values: ["a", "uid-a", "b", "uid-b"],
    },
  ]);
});

test("each statement has a power of two of rows", async () => {
  const { sent, inserts } = start();
  const claims = { into: "INSERT INTO claim (name)" };
  for (let row = 0; row < 13; row += 1) inserts.add(claims, [row]);
  await inserts.flush();
  expect(sent.map(({ values }) => values.length)).toEqual([8, 4, 1]);
  expect(sent.flatMap(({ values }) => values)).toEqual(Array.from({ length: 13 }, (_, row) => row));
});
