/** 2,000 users at once: each is served, with few requests. When nothing changes, the operator sends no requests. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { collection } from "./api-client.ts";
import { AuditLog } from "./audit-log.ts";
import { eventually } from "./eventually.ts";
import {
  OperatorEnvironment,
  operatorNamespace,
  secret,
  sipCluster,
  sipDomain,
  sipUser,
} from "./operator-environment.ts";
import type { OperatorPod } from "./operator-pod.ts";

const users = 2_000;
const account = `system:serviceaccount:${operatorNamespace}:strowger-operator`;

let audit: AuditLog;
let environment: OperatorEnvironment;
let operator: OperatorPod;

beforeAll(async () => {
  audit = new AuditLog();
  environment = await OperatorEnvironment.start({ arguments: audit.arguments });
  operator = await environment.leader();
  await environment.apply(sipCluster("exchange", environment.mysql()), sipDomain("example", "example.com"));
  await environment.becomes("SipDomain", "example", "Reconciled");
});

afterAll(async () => {
  await (environment as OperatorEnvironment | undefined)?.[Symbol.asyncDispose]();
  audit[Symbol.dispose]();
});

const names = Array.from({ length: users }, (_, index) => `user-${index}`);

/** The operator's requests by verb and resource whose number is at least the number of users. */
function perUser(from: number): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { verb, resource } of audit.requestsOf(account).slice(from))
    counts[`${verb} ${resource}`] = (counts[`${verb} ${resource}`] ?? 0) + 1;
  return Object.fromEntries(
    Object.entries(counts)
      .filter(([, count]) => count > users / 100)
      .map(([request, count]) => [request, Math.round((count / users) * 100) / 100]),
  );
}

/** Eight requests at the same time. */
async function each(work: (name: string) => Promise<unknown>): Promise<void> {
  const remaining = names[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const name of remaining) await work(name);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

async function areReady(): Promise<boolean> {
  const { body } = await environment.client.send<{
    items: readonly { status?: { conditions?: readonly { type: string; status: string }[] } }[];
  }>("GET", collection("SipUser"));
  const ready = body.items.filter(({ status }) =>
    status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True"),
  );
  return ready.length === users;
}

test(`${users} users: at most four requests each`, async () => {
  const before = audit.requestsOf(account).length;
  await environment.apply(secret("passwords", Object.fromEntries(names.map((name) => [name, name]))));
  await each((name) =>
    environment.client.send(
      "POST",
      collection("SipUser"),
      sipUser(name, { passwordSecretRef: { name: "passwords", key: name } }),
    ),
  );
  await eventually("all are Ready", areReady, { within: 300_000, more: () => operator.log.slice(-3_000) });
  await environment.rowsBecome("SELECT COUNT(*) AS n FROM subscriber", [{ n: users }]);
  const requests = audit.requestsOf(account).length - before;
  process.stdout.write(`requests per user: ${requests / users} ${JSON.stringify(perUser(before))}\n`);
  expect(requests / users).toBeLessThanOrEqual(4);
  const refused = audit.requestsOf(account).filter(({ code }) => code === 403 || code >= 500);
  expect(refused).toEqual([]);
}, 600_000);

test("an operator that restarts lists in pages, and writes nothing that is unchanged", async () => {
  await operator.end();
  const before = audit.requestsOf(account).length;
  operator = await environment.leader();
  await operator.until(
    "every user was reconciled",
    async () =>
      (await operator.total("controller_runtime_reconcile_total", { controller: "SipUser" })) >= users,
    120_000,
  );
  const requests = audit.requestsOf(account).slice(before);
  process.stdout.write(`after a restart: ${JSON.stringify(perUser(before))}\n`);
  const written = requests.filter(
    ({ verb, resource }) => /sipusers/.test(resource) && !/get|list|watch/.test(verb),
  );
  expect(written).toEqual([]);
  const lists = requests.filter(({ verb, resource }) => verb === "list" && resource === "sipusers");
  expect(lists.length).toBeLessThanOrEqual(6);
}, 300_000);

test("a change of a Secret that all users share rewrites all rows, but only the statuses that change", async () => {
  const before = audit.requestsOf(account).length;
  await environment.apply(
    secret("passwords", Object.fromEntries(names.map((name) => [name, `${name}-new`]))),
  );
  await eventually(
    "all rows are new",
    async () => {
      const [row] = await environment.database.query<{ n: number }>(
        "SELECT COUNT(*) AS n FROM subscriber WHERE ha1 = MD5(CONCAT(username, ':example.com:', username, '-new'))",
      );
      return Number(row?.n) === users;
    },
    { within: 300_000, more: () => operator.log.slice(-3_000) },
  );
  await eventually("no more requests are sent", async () => {
    const count = audit.requestsOf(account).length;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return audit.requestsOf(account).length - count < 20;
  });
  const requests = audit.requestsOf(account).length - before;
  process.stdout.write(
    `requests per user whose Secret changed: ${requests / users} ${JSON.stringify(perUser(before))}\n`,
  );
  expect(requests / users).toBeLessThanOrEqual(3);
}, 600_000);

test(`${users} deleted users: at most two requests each`, async () => {
  const before = audit.requestsOf(account).length;
  await environment.client.send("DELETE", collection("SipUser"));
  await eventually(
    "no row remains",
    async () => {
      const [row] = await environment.database.query<{ n: number }>("SELECT COUNT(*) AS n FROM subscriber");
      return Number(row?.n) === 0;
    },
    { within: 300_000, more: () => operator.log.slice(-3_000) },
  );
  await eventually("no object remains", async () => {
    const { body } = await environment.client.send<{ items: readonly unknown[] }>(
      "GET",
      collection("SipUser"),
    );
    return body.items.length === 0;
  });
  const requests = audit.requestsOf(account).length - before;
  process.stdout.write(`requests per deleted user: ${requests / users} ${JSON.stringify(perUser(before))}\n`);
  expect(requests / users).toBeLessThanOrEqual(2);
}, 600_000);
