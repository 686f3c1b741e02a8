/** The API server goes away, forgets, hangs or falls silent: nothing is deleted for that, and work goes on by itself afterwards. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { FrozenProxy } from "./frozen-proxy.ts";
import { OperatorEnvironment, secret, sipCluster, sipDomain, sipUser } from "./operator-environment.ts";
import { RestartingOperator } from "./restarting-operator.ts";

let environment: OperatorEnvironment;
let proxy: FrozenProxy;
/** Whoever leads may lose its lease by what is done here, and ends; the other one then has to know everything. */
let kubelets: readonly RestartingOperator[] = [];

beforeAll(async () => {
  environment = await OperatorEnvironment.start({
    via: async (kubeconfig, url) => {
      proxy = await FrozenProxy.start(url);
      return proxy.kubeconfig(kubeconfig);
    },
  });
  kubelets = ["one", "other"].map((name) => new RestartingOperator(environment, name));
  await environment.apply(
    sipCluster("exchange", environment.mysql()),
    sipDomain("example", "example.com"),
    secret("shared", { password: "x" }),
    sipUser("first", { passwordSecretRef }),
  );
  await environment.becomes("SipUser", "first", "Reconciled");
});

afterAll(async () => {
  for (const kubelet of kubelets) await kubelet[Symbol.asyncDispose]();
  await (environment as OperatorEnvironment | undefined)?.[Symbol.asyncDispose]();
  await (proxy as FrozenProxy | undefined)?.[Symbol.asyncDispose]();
});

afterEach(async () => {
  await environment.rowsBecome("SELECT username FROM subscriber WHERE username = 'first'", [
    { username: "first" },
  ]);
});

const passwordSecretRef = { name: "shared" };

/** A new user is served, by whoever leads then. */
async function works(name: string, within = 120_000): Promise<void> {
  await environment.apply(sipUser(name, { passwordSecretRef }));
  await eventually(
    `${name} is served`,
    async () => (await environment.condition("SipUser", name))?.status === "True",
    { within, more: () => kubelets.map(({ pod }) => pod?.log.slice(-2_000)).join("\n---\n") },
  );
}

/** The one that does not lead. */
async function standby(): Promise<RestartingOperator> {
  const roles = await Promise.all(kubelets.map((kubelet) => kubelet.leads().catch(() => false)));
  const found = kubelets[roles.indexOf(false)];
  if (found?.pod === undefined || !roles.includes(true)) throw new Error("nobody leads, or nobody stands by");
  return found;
}

/** What the standby knows is what counts once it leads. */
async function takesOver(kubelet: RestartingOperator): Promise<void> {
  const others = kubelets.filter((other) => other !== kubelet);
  for (const other of others) await other.suspend();
  await eventually("it leads", () => kubelet.leads());
  for (const other of others) other.resume();
}

test("a restart of the API server: watches begin again", async () => {
  await environment.server.stopServer("SIGKILL");
  await environment.server.startServer();
  await works("after-restart");
});

test("a standby that heard nothing while everything changed and was compacted lists anew", async () => {
  await works("unseen");
  const waiting = await standby();
  const process = waiting.pod;
  proxy.refuse(true);
  await environment.remove("SipUser", "unseen");
  await environment.patch("SipUser", "unseen", { metadata: { finalizers: null } });
  await environment.apply(sipUser("unheard", { passwordSecretRef }));
  await environment.server.compact();
  await environment.server.stopServer("SIGKILL"); // its watch cache would know what etcd has forgotten
  await environment.server.startServer();
  proxy.refuse(false);
  await eventually("somebody leads", async () =>
    (await Promise.all(kubelets.map((one) => one.leads()))).includes(true),
  );
  await takesOver(waiting);
  expect(waiting.pod).toBe(process);
  await environment.becomes("SipUser", "unheard", "Reconciled");
  await environment.rowsBecome("SELECT username FROM subscriber WHERE username = 'unseen'", []);
});

test("an API server that hangs: requests are sent again", async () => {
  environment.server.pause();
  await new Promise((resolve) => setTimeout(resolve, 4_000)); // how long the fault lasts
  environment.server.resume();
  await works("after-hang");
});

test("connections that die in silence are given up, also the watches of who does not lead", async () => {
  await eventually("one leads and one stands by", async () => {
    await standby();
    return true;
  });
  const waiting = await standby();
  const process = waiting.pod;
  expect(proxy.freeze()).toBeGreaterThan(1);
  await works("in-silence", 300_000);
  await takesOver(waiting);
  await works("after-silence", 300_000);
  expect(waiting.pod).toBe(process);
}, 700_000);

test("the API server is away for longer than a lease: the leader ends, rows stay, and work begins again when it can", async () => {
  await environment.server.stopServer("SIGKILL");
  const starts = kubelets.map((kubelet) => kubelet.starts);
  await eventually("the leader has ended", () =>
    kubelets.some((kubelet, index) => kubelet.starts > (starts[index] ?? 0)),
  );
  await environment.rowsBecome("SELECT username FROM subscriber WHERE username = 'first'", [
    { username: "first" },
  ]);
  await environment.server.startServer();
  await works("after-outage");
});
