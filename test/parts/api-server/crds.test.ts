/** Features of the CRDs in the API: printer columns, short names, selectors, scale, conditions for kubectl wait. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { ApiServer } from "../../support/kubernetes/api-server.ts";

const api = "sip.strowger.dev/v1alpha1";
const condition = (observedGeneration: number): object => ({
  type: "Ready",
  status: "True",
  reason: "Reconciled",
  message: "all is well",
  lastTransitionTime: "2026-01-01T00:00:00Z",
  observedGeneration,
});

let server: ApiServer;

beforeAll(async () => {
  server = await ApiServer.start();
  await server.installCrds();
  await server.apply(
    [
      { kind: "SipCluster", metadata: { name: "exchange" }, spec: {} },
      { kind: "SipDomain", metadata: { name: "example" }, spec: domain },
      { kind: "SipUser", metadata: { name: "alice" }, spec: user("alice") },
      { kind: "SipUser", metadata: { name: "bob" }, spec: user("bob") },
    ]
      .map((object) => JSON.stringify({ apiVersion: api, ...object }))
      .join("\n---\n"),
  );
});

afterAll(() => (server as ApiServer | undefined)?.[Symbol.asyncDispose]());

const domain = { clusterRef: { name: "exchange" }, domain: "example.com" };
const user = (username: string): object => ({
  domainRef: { name: "example" },
  username,
  passwordSecretRef: { name: "s" },
});

/** Writes fields of the status with this field manager. */
const writeStatus = (kind: string, name: string, status: object, manager = "test"): Promise<string> =>
  server.kubectl(
    ["apply", "--server-side", "--subresource=status", `--field-manager=${manager}`, "-f", "-"],
    { input: JSON.stringify({ apiVersion: api, kind, metadata: { name }, status }) },
  );

const rowsOf = async (...args: readonly string[]): Promise<readonly (readonly string[])[]> =>
  (await server.kubectl(["get", ...args]))
    .trim()
    .split("\n")
    .map((line) => line.split(/ {2,}/));

test("kubectl get shows which users are registered, the number of contacts and the time; two writers share the status", async () => {
  await writeStatus("SipUser", "alice", { address: "sip:alice@example.com", conditions: [condition(1)] });
  const since = new Date(Date.now() - 7_200_000).toISOString();
  const registered = { registered: true, contacts: 2, registeredSince: since };
  await writeStatus("SipUser", "alice", registered, "registrations");
  const [head, alice] = await rowsOf("sipu", "-o", "wide");
  expect(head).toEqual([
    "NAME",
    "READY",
    "REASON",
    "ADDRESS",
    "REGISTERED",
    "CONTACTS",
    "SINCE",
    "STATUS",
    "AGE",
  ]);
  expect(alice?.slice(0, 6)).toEqual(["alice", "True", "Reconciled", "sip:alice@example.com", "true", "2"]);
  expect(alice?.[6]).toMatch(/^1(19|20)m$|^2h$/);
  expect(alice?.[7]).toBe("all is well");
});

test("kubectl get shows clusters and domains", async () => {
  const addresses = [{ transport: "udp", host: "192.0.2.1", port: 5060 }];
  await writeStatus("SipCluster", "exchange", { addresses, nodes: 2, registrations: 7 });
  await writeStatus("SipDomain", "example", { users: 2, registrations: 7 });
  const [clusterHead, exchange] = await rowsOf("sipc");
  expect(clusterHead).toEqual([
    "NAME",
    "READY",
    "REASON",
    "ADDRESS",
    "REPLICAS",
    "NODES",
    "REGISTERED",
    "AGE",
  ]);
  expect(exchange).toEqual(expect.arrayContaining(["exchange", "192.0.2.1", "2", "7"]));
  const [domainHead, example] = await rowsOf("sipd");
  expect(domainHead).toEqual(["NAME", "READY", "REASON", "DOMAIN", "USERS", "REGISTERED", "AGE"]);
  expect(example).toEqual(expect.arrayContaining(["example", "example.com", "2", "7"]));
});

test("kubectl explain describes kinds and fields, with unit and default", async () => {
  const explain = async (path: string): Promise<string> =>
    (await server.kubectl(["explain", path])).replace(/\s+/g, " ");
  expect(await explain("sipuser")).toContain("SipUser is a user who can register phones");
  expect(await explain("sipcluster.spec.drain.timeoutSeconds")).toMatch(
    /Time in seconds for a SIP node .* Defaults to 240/,
  );
  expect(await explain("sipdomain.spec.registration")).toMatch(
    /maxExpiresSeconds <integer> .*seconds.* Defaults to 7200/,
  );
  expect(await explain("sipcluster.spec.advertise.tls")).toContain("Refused until SIP nodes serve TLS");
});

test("the category `sip` lists all kinds", async () => {
  const names = (await server.kubectl(["get", "sip", "-o", "name"])).trim().split("\n");
  expect(names.map((name) => name.split(".")[0])).toEqual(["sipcluster", "sipdomain", "sipuser", "sipuser"]);
});

test("field selectors: users by domain and username, domains by cluster", async () => {
  const select = async (kind: string, field: string): Promise<number> =>
    (await server.get<{ items: unknown[] }>(kind, `--field-selector=${field}`)).items.length;
  expect(await select("sipusers", "spec.domainRef.name=example")).toBe(2);
  expect(await select("sipusers", "spec.domainRef.name=other")).toBe(0);
  expect(await select("sipusers", "spec.username=bob")).toBe(1);
  expect(await select("sipdomains", "spec.clusterRef.name=exchange")).toBe(1);
  expect(await select("sipdomains", "spec.domain=example.com")).toBe(1);
});

test("kubectl wait works with the condition Ready", async () => {
  await writeStatus("SipUser", "bob", { observedGeneration: 1, conditions: [condition(1)] });
  await server.kubectl(["wait", "--for=condition=Ready", "sipuser/bob", "--timeout=10s"]);
});

test("each type of condition exists only once", async () => {
  const twice = { conditions: [condition(1), condition(2)] };
  await expect(writeStatus("SipUser", "bob", twice)).rejects.toThrow(/duplicate/i);
});

test("an autoscaler can scale a SipCluster and select its pods", async () => {
  await writeStatus("SipCluster", "exchange", { nodes: 2, selector: "sip.strowger.dev/cluster=exchange" });
  await server.kubectl(["scale", "sipcluster/exchange", "--replicas=5"]);
  const path = `/apis/${api}/namespaces/default/sipclusters/exchange/scale`;
  const scale = JSON.parse(await server.kubectl(["get", "--raw", path])) as {
    spec: unknown;
    status: unknown;
  };
  expect(scale.spec).toEqual({ replicas: 5 });
  expect(scale.status).toEqual({ replicas: 2, selector: "sip.strowger.dev/cluster=exchange" });
});

test("a write of the spec ignores the status, and a write of the status ignores the spec", async () => {
  await server.apply(
    JSON.stringify({
      apiVersion: api,
      kind: "SipDomain",
      metadata: { name: "example" },
      spec: domain,
      status: { users: 99 },
    }),
  );
  const found = await server.get<{ status: { users: number } }>("sipdomain", "example");
  expect(found.status.users).toBe(2);
});
