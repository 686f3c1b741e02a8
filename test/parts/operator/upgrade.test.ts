/** The operator of a next version on a database with nodes of this version, and the rollback (design-kubernetes rule 9). */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startMariadb, type TestMariadb } from "../../support/mariadb.ts";
import { breaking, newest, NextVersion } from "./next-version.ts";
import { exchange, OperatorProcess } from "./operator-process.ts";

let mariadb: TestMariadb;
let next: NextVersion;

beforeAll(async () => {
  mariadb = await startMariadb();
  next = await NextVersion.make();
});

afterAll(async () => {
  await next[Symbol.asyncDispose]();
  await mariadb[Symbol.asyncDispose]();
});

const last = async (): Promise<number> =>
  Number(
    (
      await mariadb.query<{ n: number }>("SELECT MAX(number) AS n FROM strowger_migration WHERE finished = 1")
    )[0]?.n,
  );

async function startOperator(checkout?: string): Promise<OperatorProcess> {
  const operator = new OperatorProcess(mariadb.url, checkout);
  operator.write("exchange.yaml", exchange);
  await operator.start();
  return operator;
}

const waitForCondition = (operator: OperatorProcess, what: RegExp): Promise<void> =>
  operator.eventually(
    `SipCluster exchange is ready and waitForCondition ${String(what)}`,
    async () => {
      const { reason, message } = await operator.ready("SipCluster", "exchange");
      return reason === "Reconciled" && what.test(message);
    },
    20_000,
  );

test("it works without the waiting migration, continues when the older node has ended, and can be rolled back while the applied migrations are additive", async () => {
  const waits = new RegExp(
    `${breaking} waits until every node knows schema ${newest + 1}; outdated nodes: old\\.`,
  );
  await using first = await startOperator();
  await first.becomes("SipDomain", "example", "Reconciled");
  await first.stop();
  // A node of this version that is alive until the test deletes it.
  await mariadb.query(
    `INSERT INTO strowger_node (node_id, address, name, schema_min, schema_max, draining, started_at, beat_at)
      VALUES ('old', '192.0.2.1:7060', 'old', ${newest}, ${newest}, 1, 1, UNIX_TIMESTAMP(NOW(3)) * 1000 + 600000)`,
  );
  await using upgraded = await startOperator(next.checkout);
  await waitForCondition(upgraded, waits);
  await upgraded.becomes("SipDomain", "example", "Reconciled");
  expect(await last()).toBe(newest + 1);
  await upgraded.stop();

  await using rolledBack = await startOperator();
  await waitForCondition(rolledBack, /belongs to this SipCluster/);
  await rolledBack.becomes("SipDomain", "example", "Reconciled");
  await rolledBack.stop();

  await using again = await startOperator(next.checkout);
  await waitForCondition(again, waits);
  await mariadb.query("DELETE FROM strowger_node");
  await waitForCondition(again, /belongs to this SipCluster/);
  expect(await last()).toBe(newest + 2);
  await again.stop();

  await using tooOld = await startOperator();
  expect(await tooOld.ended()).toBe(1);
  expect(tooOld.log).toMatch(
    new RegExp(
      `${breaking} .* requires programs that know schema ${newest + 1} or later; this program knows up to ${newest}`,
    ),
  );
}, 90_000);
