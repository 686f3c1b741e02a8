/** The API server stops, loses old versions, hangs, or loses connections: nothing is deleted because of it, and operators recover by themselves. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { FrozenProxy } from "./frozen-proxy.ts";
import { OperatorEnvironment, secret, sipCluster, sipDomain, sipUser } from "./operator-environment.ts";
import { RestartingOperator } from "./restarting-operator.ts";

let environment: OperatorEnvironment;
let proxy: FrozenProxy;
/** The leader may lose its lease in these tests, and ends. Then the other operator must know all objects. */
let operators: readonly RestartingOperator[] = [];

beforeAll(async () => {
  environment = await OperatorEnvironment.start({
    via: async (kubeconfig, url) => {
      proxy = await FrozenProxy.start(url);
      return proxy.kubeconfig(kubeconfig);
    },
  });
  operators = ["one", "other"].map((name) => new RestartingOperator(environment, name));
  await environment.apply(
    sipCluster("exchange", environment.mysql()),
    sipDomain("example", "example.com"),
    secret("shared", { password: "x" }),
    sipUser("first", { passwordSecretRef }),
  );
  await environment.becomes("SipUser", "first", "Reconciled");
});

afterAll(async () => {
  for (const operator of operators) await operator[Symbol.asyncDispose]();
  await (environment as OperatorEnvironment | undefined)?.[Symbol.asyncDispose]();
  await (proxy as FrozenProxy | undefined)?.[Symbol.asyncDispose]();
});

afterEach(async () => {
  await environment.rowsBecome("SELECT username FROM subscriber WHERE username = 'first'", [
    { username: "first" },
  ]);
});

const passwordSecretRef = { name: "shared" };

/** A new user is served, by the current leader. */
async function createAndAwaitUser(name: string, within = 120_000): Promise<void> {
  await environment.apply(sipUser(name, { passwordSecretRef }));
  await eventually(
    `${name} is served`,
    async () => (await environment.condition("SipUser", name))?.status === "True",
    { within, more: () => operators.map(({ pod }) => pod?.log.slice(-2_000)).join("\n---\n") },
  );
}

/** The operator that is not the leader. */
async function standby(): Promise<RestartingOperator> {
  const roles = await Promise.all(operators.map((operator) => operator.leads().catch(() => false)));
  const found = operators[roles.indexOf(false)];
  if (found?.pod === undefined || !roles.includes(true)) throw new Error("there is no leader, or no standby");
  return found;
}

/** Makes this operator the leader, so that its own view of the objects counts. */
async function makeLeader(operator: RestartingOperator): Promise<void> {
  const others = operators.filter((other) => other !== operator);
  for (const other of others) await other.suspend();
  await eventually("it is the leader", () => operator.leads());
  for (const other of others) other.resume();
}

test("after a restart of the API server watches start again", async () => {
  await environment.server.stopServer("SIGKILL");
  await environment.server.startServer();
  await createAndAwaitUser("after-restart");
});

test("a standby that missed changes which were compacted since then lists again", async () => {
  await createAndAwaitUser("unseen");
  const waiting = await standby();
  const process = waiting.pod;
  proxy.refuse(true);
  await environment.remove("SipUser", "unseen");
  await environment.patch("SipUser", "unseen", { metadata: { finalizers: null } });
  await environment.apply(sipUser("unheard", { passwordSecretRef }));
  await environment.server.compact();
  await environment.server.stopServer("SIGKILL"); // its watch cache would still have the compacted versions
  await environment.server.startServer();
  proxy.refuse(false);
  await eventually("there is a leader", async () =>
    (await Promise.all(operators.map((one) => one.leads()))).includes(true),
  );
  await makeLeader(waiting);
  expect(waiting.pod).toBe(process);
  await environment.becomes("SipUser", "unheard", "Reconciled");
  await environment.rowsBecome("SELECT username FROM subscriber WHERE username = 'unseen'", []);
});

test("when the API server hangs, requests are sent again", async () => {
  environment.server.pause();
  await new Promise((resolve) => setTimeout(resolve, 4_000)); // the duration of the fault
  environment.server.resume();
  await createAndAwaitUser("after-hang");
});

test("frozen connections are closed after a timeout, also the watches of the standby", async () => {
  await eventually("there is a leader and a standby", async () => {
    await standby();
    return true;
  });
  const waiting = await standby();
  const process = waiting.pod;
  expect(proxy.freeze()).toBeGreaterThan(1);
  await createAndAwaitUser("in-silence", 300_000);
  await makeLeader(waiting);
  await createAndAwaitUser("after-silence", 300_000);
  expect(waiting.pod).toBe(process);
}, 700_000);

test("the API server is unavailable for longer than a lease: the leader ends, rows stay, and reconciles start again afterwards", async () => {
  await environment.server.stopServer("SIGKILL");
  const starts = operators.map((operator) => operator.starts);
  await eventually("the leader has ended", () =>
    operators.some((operator, index) => operator.starts > (starts[index] ?? 0)),
  );
  await environment.rowsBecome("SELECT username FROM subscriber WHERE username = 'first'", [
    { username: "first" },
  ]);
  await environment.server.startServer();
  await createAndAwaitUser("after-outage");
});
