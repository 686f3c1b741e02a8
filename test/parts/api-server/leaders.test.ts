/** Several operators: the leader ends, is killed or is suspended, and nothing is lost, done twice, or undone. */
import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { OperatorEnvironment, secret, sipCluster, sipDomain, sipUser } from "./operator-environment.ts";
import type { OperatorPod } from "./operator-pod.ts";

let environment: OperatorEnvironment;
let running: OperatorPod[] = [];

beforeAll(async () => {
  environment = await OperatorEnvironment.start();
  const operator = await started();
  await operator.until("it is the leader", () => operator.leads());
  await environment.apply(
    sipCluster("exchange", environment.mysql()),
    sipDomain("example", "example.com", { realm: "test" }),
    secret("shared", { password: "x" }),
  );
  await environment.becomes("SipDomain", "example", "Reconciled");
  await operator.end();
});

afterEach(async () => {
  for (const operator of running) await operator.end(); // releases the lease for the next test
  running = [];
});

afterAll(() => (environment as OperatorEnvironment | undefined)?.[Symbol.asyncDispose]());

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
const passwordSecretRef = { name: "shared" };

async function started(): Promise<OperatorPod> {
  const operator = await environment.operator();
  running.push(operator);
  return operator;
}

/** Applies users one after the other until `stop`; returns their names. */
async function applyUntil(prefix: string, stop: () => boolean): Promise<readonly string[]> {
  const names: string[] = [];
  while (!stop()) {
    const name = `${prefix}-${names.length}`;
    await environment.apply(sipUser(name, { passwordSecretRef }));
    names.push(name);
  }
  return names;
}

/** Every user is Ready, and has exactly one subscriber row and one owner row. */
async function areServed(prefix: string, names: readonly string[]): Promise<void> {
  for (const name of names) await environment.becomes("SipUser", name, "Reconciled");
  for (const [table, column] of [
    ["subscriber", "username"],
    ["strowger_subscriber", "username"],
    ["strowger_owner", "name"],
  ])
    await environment.rowsBecome(`SELECT COUNT(*) AS n FROM ${table} WHERE ${column} LIKE '${prefix}-%'`, [
      { n: names.length },
    ]);
}

test("a standby answers probes and metrics, and writes nothing", async () => {
  const [first, second] = [await started(), await started()];
  await first.until("one is the leader", async () => (await first.leads()) || (await second.leads()));
  const [leader, other] = (await first.leads()) ? [first, second] : [second, first];
  expect(await other.leads()).toBe(false);
  await other.until("it is ready", async () => (await other.get("/readyz")).ok);
  await environment.apply(sipUser("led", { passwordSecretRef }));
  await environment.becomes("SipUser", "led", "Reconciled");
  expect(await other.total("controller_runtime_reconcile_total")).toBe(0);
  expect(await leader.total("controller_runtime_reconcile_total")).toBeGreaterThan(0);
});

test("after SIGTERM the next operator leads at once", async () => {
  const first = await started();
  await first.until("it is the leader", () => first.leads());
  const second = await started();
  expect(await first.end()).toBe(0);
  await second.until("it is the leader", () => second.leads());
  const lease = await environment.server.get<{ spec: { holderIdentity: string; leaseTransitions: number } }>(
    "lease",
    "-n",
    "strowger",
    "strowger-operator",
  );
  expect(lease.spec.holderIdentity).toContain(second.name);
});

test("kill -9 of the leader under load: the next leader finishes its work", async () => {
  const first = await started();
  await first.until("it is the leader", () => first.leads());
  const second = await started();
  let isLed = false;
  const applied = applyUntil("load", () => isLed);
  await environment.becomes("SipUser", "load-0", "Reconciled");
  first.signal("SIGKILL");
  await second.until("it is the leader", () => second.leads());
  isLed = true;
  await areServed("load", await applied);
});

test("a suspended leader that continues after another took over writes nothing, and ends", async () => {
  const suspended = await started();
  await suspended.until("it is the leader", () => suspended.leads());
  await environment.apply(
    secret("sleepy-secret", { password: "old" }),
    sipUser("sleepy"),
    sipUser("doomed", { passwordSecretRef }),
  );
  await environment.becomes("SipUser", "sleepy", "Reconciled");
  await environment.becomes("SipUser", "doomed", "Reconciled");
  const next = await started();
  suspended.signal("SIGSTOP");
  // When it continues, these changes are waiting for it, as after a suspended machine.
  await environment.apply(secret("sleepy-secret", { password: "new" }));
  await environment.remove("SipUser", "doomed");
  await next.until("it is the leader", () => next.leads());
  await environment.rowsBecome("SELECT ha1 FROM subscriber WHERE username = 'sleepy'", [
    { ha1: md5("sleepy:test:new") },
  ]);
  await environment.vanishes("SipUser", "doomed");
  const seq = await environment.database.query("SELECT epoch, change_seq FROM strowger_meta");
  suspended.signal("SIGCONT");
  expect(await suspended.exited).not.toBe(0);
  expect(suspended.log).toMatch(/lease|leader/i);
  expect(await environment.database.query("SELECT epoch, change_seq FROM strowger_meta")).toEqual(seq);
  expect(await next.leads()).toBe(true);
});
