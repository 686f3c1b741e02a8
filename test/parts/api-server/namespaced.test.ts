/** Namespaced mode: Roles in the listed namespaces and nothing of the cluster; objects elsewhere are nobody's business. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { AuditLog } from "./audit-log.ts";
import { House, operatorNamespace, secret, sipCluster, sipDomain, sipUser } from "./house.ts";

let audit: AuditLog;
let house: House;

beforeAll(async () => {
  audit = new AuditLog();
  const values = { watchNamespaces: ["served", "served-too"], clusterRanges: ["10.0.0.0/8"] };
  house = await House.start({
    values,
    namespaces: values.watchNamespaces,
    databases: ["other"],
    arguments: audit.arguments,
  });
  await house.namespace("ignored");
});

afterAll(async () => {
  await (house as House | undefined)?.[Symbol.asyncDispose]();
  audit[Symbol.dispose]();
});

test("objects of the listed namespaces are served, with Roles alone; allowedDomains works by name", async () => {
  await house.leader();
  await house.apply(
    sipCluster(
      "exchange",
      house.mysql(),
      { allowedDomains: [{ namespaces: { names: ["served-too"] } }] },
      "served",
    ),
    sipDomain(
      "example",
      "example.com",
      { clusterRef: { name: "exchange", namespace: "served" } },
      "served-too",
    ),
    secret("alice-secret", { password: "x" }, { namespace: "served-too" }),
    sipUser("alice", {}, "served-too"),
  );
  await house.becomes("SipUser", "alice", "Reconciled", "served-too");
  await house.rowsBecome("SELECT username FROM subscriber", [{ username: "alice" }]);
});

test("an object elsewhere is ignored", async () => {
  await house.apply(
    sipCluster("exchange", house.mysql("other"), {}, "ignored"),
    sipDomain("example", "ignored.example", {}, "ignored"),
  );
  await house.apply(secret("bob-secret", { password: "x" }, { namespace: "served-too" }));
  await house.apply(sipUser("bob", {}, "served-too"));
  await house.becomes("SipUser", "bob", "Reconciled", "served-too");
  expect((await house.find("SipCluster", "exchange", "ignored"))?.status).toBeUndefined();
  expect((await house.find("SipDomain", "example", "ignored"))?.status).toBeUndefined();
});

test("nothing outside these namespaces was asked for, but the lease", () => {
  const account = `system:serviceaccount:${operatorNamespace}:strowger-operator`;
  const elsewhere = audit
    .requestsOf(account)
    .filter(({ namespace = "", resource }) => !namespace.startsWith("served") && resource !== "leases");
  expect(elsewhere).toEqual([]);
});
