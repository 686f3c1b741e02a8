/**
 * The cost of many SipUsers that wait at the same time: requests to the API server and SQL statements for each. They are counted, not timed,
 * so the result does not depend on the machine. `test/bench/workloads/operator.ts` measures the time.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { collection } from "./api-client.ts";
import { AuditLog } from "./audit-log.ts";
import {
  OperatorEnvironment,
  operatorNamespace,
  secret,
  sipCluster,
  sipDomain,
  sipUser,
} from "./operator-environment.ts";

const users = 200;
/** The share of the users that a periodic resync may read again, on a slow machine. */
const resynced = 0.9;
/** Alone, a user needs 17. Few users are in the first and the last batch. */
const maxStatements = 10;
const account = `system:serviceaccount:${operatorNamespace}:strowger-operator`;

let audit: AuditLog;
let environment: OperatorEnvironment;

beforeAll(async () => {
  audit = new AuditLog();
  environment = await OperatorEnvironment.start({ arguments: audit.arguments });
  const operator = await environment.leader();
  await environment.apply(sipCluster("exchange", environment.mysql()), sipDomain("example", "example.com"));
  await environment.becomes("SipDomain", "example", "Reconciled");
  await operator.end();
});

afterAll(async () => {
  await (environment as OperatorEnvironment | undefined)?.[Symbol.asyncDispose]();
  audit[Symbol.dispose]();
});

async function post(path: string, object: object): Promise<void> {
  const { status, body } = await environment.client.send("POST", path, object);
  if (status !== 201) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`);
}

/** Creates the users while no operator runs, so that all of them wait when it starts. */
async function create(prefix: string, spec: object, hasSecret: boolean): Promise<void> {
  for (let index = 0; index < users; index += 1) {
    const name = `${prefix}-${index}`;
    if (hasSecret)
      await post("/api/v1/namespaces/default/secrets", secret(`${name}-secret`, { password: name }));
    await post(collection("SipUser"), sipUser(name, spec));
  }
}

/** The operator's requests and statements, divided by the number of users, until every user of that prefix is Ready. */
async function countPerUser(prefix: string) {
  const [before, statements] = [audit.requestsOf(account).length, await statementsOf()];
  const operator = await environment.leader();
  const areReady = async (): Promise<boolean> => {
    const labels = { kind: "SipUser", type: "Ready", reason: "Reconciled" };
    return (await operator.total("strowger_condition_objects", labels)) >= (await expected());
  };
  await operator.until("every user is Ready", areReady, 120_000);
  const total = (await statementsOf()) - statements;
  await operator.end();
  const requests = new Map<string, number>();
  for (const { verb, resource, name } of audit.requestsOf(account).slice(before)) {
    const request = `${verb} ${resource}`;
    if (name?.startsWith(`${prefix}-`)) requests.set(request, (requests.get(request) ?? 0) + 1 / users);
  }
  const rounded = [...requests].map(([request, count]) => [request, Math.round(count * 1e6) / 1e6]);
  return { requests: Object.fromEntries(rounded) as Record<string, number>, statements: total / users };
}

async function expected(): Promise<number> {
  const { body } = await environment.client.send<{ items: readonly unknown[] }>("GET", collection("SipUser"));
  return body.items.length;
}

/** Without the test's own. */
async function statementsOf(): Promise<number> {
  const [row] = await environment.database.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Questions'");
  return Number(row?.Value);
}

test(`${users} users with their own Secrets: one read, two writes and few statements for each`, async () => {
  await create("own", {}, true);
  const { requests, statements } = await countPerUser("own");
  process.stdout.write(`${statements} statements for each user, ${JSON.stringify(requests)}\n`);
  expect(Object.keys(requests).sort()).toEqual(["get secrets", "patch sipusers", "patch sipusers/status"]);
  expect(requests).toMatchObject({ "patch sipusers": 1, "patch sipusers/status": 1 });
  expect(requests["get secrets"]).toBeLessThan(1 + resynced);
  expect(statements).toBeLessThan(maxStatements);
});

test(`${users} users with generated passwords: one more write, and no live read of the SipUser`, async () => {
  await create("generated", { generatePassword: true }, false);
  const { requests, statements } = await countPerUser("generated");
  process.stdout.write(`${statements} statements for each user, ${JSON.stringify(requests)}\n`);
  expect(Object.keys(requests).sort()).toEqual([
    ...["create secrets", "get secrets", "patch sipusers", "patch sipusers/status"],
  ]);
  expect(requests).toMatchObject({ "create secrets": 1, "patch sipusers": 1, "patch sipusers/status": 1 });
  expect(requests["get secrets"]).toBeLessThan(1 + resynced);
  expect(statements).toBeLessThan(maxStatements);
});
