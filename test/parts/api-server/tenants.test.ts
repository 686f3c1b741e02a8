/** Tenants in namespaces: which domains a cluster serves, and which information one tenant gets about another. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { OperatorEnvironment, secret, sipCluster, sipDomain, sipUser } from "./operator-environment.ts";

let environment: OperatorEnvironment;

beforeAll(async () => {
  environment = await OperatorEnvironment.start({ databases: ["other"] });
  await environment.leader();
  for (const [name, team] of [
    ["telephony", "platform"],
    ["sales", "sales"],
    ["research", "research"],
  ] as const)
    await environment.namespace(name, { team });
  const allowedDomains = [
    { namespaces: { names: ["sales"] }, suffixes: ["sales.example"] },
    { namespaces: { selector: { matchLabels: { team: "research" } } } },
  ];
  await environment.apply(sipCluster("exchange", environment.mysql(), { allowedDomains }, "telephony"));
});

afterAll(() => (environment as OperatorEnvironment | undefined)?.[Symbol.asyncDispose]());

const clusterRef = { name: "exchange", namespace: "telephony" };

test("a domain is served if the SipCluster allows its namespace, by name and suffix or by label", async () => {
  await environment.apply(sipDomain("phones", "voice.sales.example", { clusterRef }, "sales"));
  await environment.becomes("SipDomain", "phones", "Reconciled", "sales");
  await environment.apply(sipDomain("any", "any.example", { clusterRef }, "research"));
  await environment.becomes("SipDomain", "any", "Reconciled", "research");
  await environment.apply(sipDomain("own", "own.example", {}, "telephony"));
  await environment.becomes("SipDomain", "own", "Reconciled", "telephony");
});

test("a domain is not served if its namespace is allowed only other names, or none", async () => {
  for (const [name, domain, namespace] of [
    ["greedy", "voice.example", "sales"],
    ["near", "notsales.example", "sales"],
    ["stranger", "stranger.example", "default"],
  ] as const) {
    await environment.apply(sipDomain(name, domain, { clusterRef }, namespace));
    await environment.becomes("SipDomain", name, "NotAllowed", namespace);
    await environment.rowsBecome(`SELECT domain FROM domain WHERE domain = '${domain}'`, []);
  }
});

test("two tenants request the same name: the first has it, and the second gets no information about the first", async () => {
  await environment.apply(sipDomain("mine", "shared.sales.example", { clusterRef }, "sales"));
  await environment.becomes("SipDomain", "mine", "Reconciled", "sales");
  await environment.apply(sipDomain("theirs", "shared.sales.example", { clusterRef }, "research"));
  const message = await environment.becomes("SipDomain", "theirs", "Conflict", "research");
  expect(message).not.toMatch(/mine|namespace sales|sales\/mine/);
});

test("users of another namespace need the domain's permission; without it they are disabled, and their conditions have the reason", async () => {
  const domainRef = { name: "phones", namespace: "sales" };
  await environment.apply(
    secret("guest-secret", { password: "x" }, { namespace: "research" }),
    sipUser("guest", { domainRef }, "research"),
  );
  await environment.becomes("SipUser", "guest", "NotAllowed", "research");
  await environment.rowsBecome("SELECT username FROM subscriber WHERE username = 'guest'", []);
  const allow = (allowedNamespaces: object | null): Promise<void> =>
    environment.patch("SipDomain", "phones", { spec: { allowedNamespaces } }, "sales");
  await allow({ names: ["research"] });
  await environment.becomes("SipUser", "guest", "Reconciled", "research");
  const enabled = "SELECT enabled FROM strowger_subscriber WHERE username = 'guest'";
  await environment.rowsBecome(enabled, [{ enabled: 1 }]);
  await allow(null);
  await environment.becomes("SipUser", "guest", "NotAllowed", "research");
  await environment.rowsBecome(enabled, [{ enabled: 0 }]);
  await allow({ selector: { matchLabels: { team: "research" } } });
  await environment.becomes("SipUser", "guest", "Reconciled", "research");
  await environment.rowsBecome(enabled, [{ enabled: 1 }]);
});

test("a Secret of another namespace cannot be used: a reference means the user's own namespace", async () => {
  await environment.apply(
    secret("shared-secret", { password: "x" }, { namespace: "telephony" }),
    sipUser(
      "reader",
      { domainRef: { name: "any" }, passwordSecretRef: { name: "shared-secret" } },
      "research",
    ),
  );
  await environment.becomes("SipUser", "reader", "SecretNotFound", "research");
});

test("a database belongs to one SipCluster; the other gets DatabaseTaken", async () => {
  await environment.apply(sipCluster("rival", environment.mysql(), {}, "sales"));
  await environment.becomes("SipCluster", "rival", "DatabaseTaken", "sales");
  await environment.apply(sipDomain("local", "local.example", { clusterRef: { name: "rival" } }, "sales"));
  await environment.rowsBecome("SELECT domain FROM domain WHERE domain = 'local.example'", []);
  await environment.patch("SipCluster", "rival", { spec: { mysql: { database: "other" } } }, "sales");
  await environment.becomes("SipDomain", "local", "Reconciled", "sales");
  await environment.rowsBecome("SELECT domain FROM other.domain", [{ domain: "local.example" }]);
});
