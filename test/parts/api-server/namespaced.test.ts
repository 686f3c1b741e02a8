/** Namespaced mode: Roles in the listed namespaces and no cluster roles; objects of other namespaces are ignored. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { AuditLog } from "./audit-log.ts";
import {
  OperatorEnvironment,
  operatorNamespace,
  secret,
  sipCluster,
  sipDomain,
  sipUser,
} from "./operator-environment.ts";

let audit: AuditLog;
let environment: OperatorEnvironment;

beforeAll(async () => {
  audit = new AuditLog();
  const values = { watchNamespaces: ["served", "served-too"], clusterRanges: ["10.0.0.0/8"] };
  environment = await OperatorEnvironment.start({
    values,
    namespaces: values.watchNamespaces,
    databases: ["other"],
    arguments: audit.arguments,
  });
  await environment.namespace("ignored");
});

afterAll(async () => {
  await (environment as OperatorEnvironment | undefined)?.[Symbol.asyncDispose]();
  audit[Symbol.dispose]();
});

test("objects of the listed namespaces are served with only Roles; allowedDomains works by name", async () => {
  await environment.leader();
  await environment.apply(
    sipCluster(
      "exchange",
      environment.mysql(),
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
  await environment.becomes("SipUser", "alice", "Reconciled", "served-too");
  await environment.rowsBecome("SELECT username FROM subscriber", [{ username: "alice" }]);
});

test("an object of another namespace is ignored", async () => {
  await environment.apply(
    sipCluster("exchange", environment.mysql("other"), {}, "ignored"),
    sipDomain("example", "ignored.example", {}, "ignored"),
  );
  await environment.apply(secret("bob-secret", { password: "x" }, { namespace: "served-too" }));
  await environment.apply(sipUser("bob", {}, "served-too"));
  await environment.becomes("SipUser", "bob", "Reconciled", "served-too");
  expect((await environment.find("SipCluster", "exchange", "ignored"))?.status).toBeUndefined();
  expect((await environment.find("SipDomain", "example", "ignored"))?.status).toBeUndefined();
});

test("no requests outside these namespaces, except for the lease", () => {
  const account = `system:serviceaccount:${operatorNamespace}:strowger-operator`;
  const elsewhere = audit
    .requestsOf(account)
    .filter(({ namespace = "", resource }) => !namespace.startsWith("served") && resource !== "leases");
  expect(elsewhere).toEqual([]);
});
