/** Namespaces of tenants: who may serve whom, and what one learns of another. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { House, secret, sipCluster, sipDomain, sipUser } from "./house.ts";

let house: House;

beforeAll(async () => {
  house = await House.start({ databases: ["other"] });
  await house.leader();
  for (const [name, team] of [
    ["telephony", "platform"],
    ["sales", "sales"],
    ["research", "research"],
  ] as const)
    await house.namespace(name, { team });
  const allowedDomains = [
    { namespaces: { names: ["sales"] }, suffixes: ["sales.example"] },
    { namespaces: { selector: { matchLabels: { team: "research" } } } },
  ];
  await house.apply(sipCluster("exchange", house.mysql(), { allowedDomains }, "telephony"));
});

afterAll(() => (house as House | undefined)?.[Symbol.asyncDispose]());

const clusterRef = { name: "exchange", namespace: "telephony" };

test("a domain is served where the SipCluster allows its namespace, by name and suffix or by label", async () => {
  await house.apply(sipDomain("phones", "voice.sales.example", { clusterRef }, "sales"));
  await house.becomes("SipDomain", "phones", "Reconciled", "sales");
  await house.apply(sipDomain("any", "any.example", { clusterRef }, "research"));
  await house.becomes("SipDomain", "any", "Reconciled", "research");
  await house.apply(sipDomain("own", "own.example", {}, "telephony"));
  await house.becomes("SipDomain", "own", "Reconciled", "telephony");
});

test("a domain is not served where its namespace is allowed other names, or none", async () => {
  for (const [name, domain, namespace] of [
    ["greedy", "voice.example", "sales"],
    ["near", "notsales.example", "sales"],
    ["stranger", "stranger.example", "default"],
  ] as const) {
    await house.apply(sipDomain(name, domain, { clusterRef }, namespace));
    await house.becomes("SipDomain", name, "NotAllowed", namespace);
    await house.rowsBecome(`SELECT domain FROM domain WHERE domain = '${domain}'`, []);
  }
});

test("two tenants want one name: the first has it, the other learns nothing about the first", async () => {
  await house.apply(sipDomain("mine", "shared.sales.example", { clusterRef }, "sales"));
  await house.becomes("SipDomain", "mine", "Reconciled", "sales");
  await house.apply(sipDomain("theirs", "shared.sales.example", { clusterRef }, "research"));
  const message = await house.becomes("SipDomain", "theirs", "Conflict", "research");
  expect(message).not.toMatch(/mine|namespace sales|sales\/mine/);
});

test("users of another namespace need the domain's leave; where it ends, they are disabled and say why", async () => {
  const domainRef = { name: "phones", namespace: "sales" };
  await house.apply(
    secret("guest-secret", { password: "x" }, { namespace: "research" }),
    sipUser("guest", { domainRef }, "research"),
  );
  await house.becomes("SipUser", "guest", "NotAllowed", "research");
  await house.rowsBecome("SELECT username FROM subscriber WHERE username = 'guest'", []);
  const allow = (allowedNamespaces: object | null): Promise<void> =>
    house.patch("SipDomain", "phones", { spec: { allowedNamespaces } }, "sales");
  await allow({ names: ["research"] });
  await house.becomes("SipUser", "guest", "Reconciled", "research");
  const enabled = "SELECT enabled FROM strowger_subscriber WHERE username = 'guest'";
  await house.rowsBecome(enabled, [{ enabled: 1 }]);
  await allow(null);
  await house.becomes("SipUser", "guest", "NotAllowed", "research");
  await house.rowsBecome(enabled, [{ enabled: 0 }]);
  await allow({ selector: { matchLabels: { team: "research" } } });
  await house.becomes("SipUser", "guest", "Reconciled", "research");
  await house.rowsBecome(enabled, [{ enabled: 1 }]);
});

test("a Secret of another namespace is out of reach: the reference means the own one", async () => {
  await house.apply(
    secret("shared-secret", { password: "x" }, { namespace: "telephony" }),
    sipUser(
      "reader",
      { domainRef: { name: "any" }, passwordSecretRef: { name: "shared-secret" } },
      "research",
    ),
  );
  await house.becomes("SipUser", "reader", "SecretNotFound", "research");
});

test("a database belongs to one SipCluster; the other gets DatabaseTaken", async () => {
  await house.apply(sipCluster("rival", house.mysql(), {}, "sales"));
  await house.becomes("SipCluster", "rival", "DatabaseTaken", "sales");
  await house.apply(sipDomain("local", "local.example", { clusterRef: { name: "rival" } }, "sales"));
  await house.rowsBecome("SELECT domain FROM domain WHERE domain = 'local.example'", []);
  await house.patch("SipCluster", "rival", { spec: { mysql: { database: "other" } } }, "sales");
  await house.becomes("SipDomain", "local", "Reconciled", "sales");
  await house.rowsBecome("SELECT domain FROM other.domain", [{ domain: "local.example" }]);
});
