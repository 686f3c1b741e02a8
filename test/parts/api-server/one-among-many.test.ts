/** A single change does not wait for many others (ADR 34): it is not queued behind 2,000 new users, also with a new leader. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { collection } from "./api-client.ts";
import { eventually } from "./eventually.ts";
import { OperatorEnvironment, secret, sipCluster, sipDomain, sipUser } from "./operator-environment.ts";

const users = 2_000;

let environment: OperatorEnvironment;

beforeAll(async () => {
  environment = await OperatorEnvironment.start();
  const operator = await environment.leader();
  await environment.apply(sipCluster("exchange", environment.mysql()), sipDomain("example", "example.com"));
  await environment.becomes("SipDomain", "example", "Reconciled");
  for (const name of ["alice", "bob"]) {
    await environment.apply(secret(`${name}-secret`, { password: "first" }), sipUser(name));
    await environment.becomes("SipUser", name, "Reconciled");
  }
  await operator.end();
});

afterAll(() => (environment as OperatorEnvironment | undefined)?.[Symbol.asyncDispose]());

/** The number of rows of new users. */
async function made(): Promise<number> {
  const [row] = await environment.database.query<{ n: number }>(
    "SELECT COUNT(*) AS n FROM subscriber WHERE username LIKE 'user-%'",
  );
  return Number(row?.n);
}

async function hasPassword(password: string): Promise<boolean> {
  const [row] = await environment.database.query<{ ha1: string }>(
    "SELECT ha1 FROM subscriber WHERE username = 'alice'",
  );
  return row?.ha1 === createHash("md5").update(`alice:example.com:${password}`).digest("hex");
}

async function isDisabled(name: string): Promise<boolean> {
  const rows = await environment.database.query<{ enabled: number }>(
    "SELECT enabled FROM strowger_subscriber WHERE username = ?",
    [name],
  );
  return rows[0]?.enabled === 0;
}

const report = (what: string, since: number, others: number): void => {
  const ms = Math.round(performance.now() - since);
  process.stdout.write(`${what}: after ${ms} ms and ${others} of ${users} new users\n`);
};

async function createUsers(): Promise<void> {
  const names = Array.from({ length: users }, (_, index) => `user-${index}`);
  await environment.apply(secret("passwords", Object.fromEntries(names.map((name) => [name, name]))));
  const remaining = names[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const name of remaining)
      await environment.client.send(
        "POST",
        collection("SipUser"),
        sipUser(name, { passwordSecretRef: { name: "passwords", key: name } }),
      );
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

test("changes without a leader, and changes during the work, are in the rows before those of the new users", async () => {
  await environment.apply(secret("alice-secret", { password: "second" }));
  await environment.patch("SipUser", "bob", { spec: { enabled: false } });
  await createUsers();
  const operator = await environment.leader();
  const more = () => operator.log.slice(-2_000);
  const led = performance.now();
  const both = async () => (await hasPassword("second")) && (await isDisabled("bob"));
  await eventually("the changes without a leader are in the rows", both, { within: 60_000, more });
  const before = await made();
  report("changes without a leader", led, before);
  expect(before).toBeLessThan(users / 10);

  await eventually("the operator writes the new users", async () => (await made()) > before + 100, {
    within: 60_000,
    more,
  });
  const others = await made();
  const changed = performance.now();
  await environment.apply(secret("alice-secret", { password: "third" }));
  await eventually("the password is in the row", () => hasPassword("third"), { within: 60_000, more });
  const between = (await made()) - others;
  report("a password changed behind them", changed, between);
  expect(between).toBeLessThan(users / 10);

  await eventually("all users have rows", async () => (await made()) === users, { within: 300_000, more });
  report("all new users", led, users);
}, 600_000);
