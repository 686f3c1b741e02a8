/** SipUsers and SipDomains of several tenants and of other tools on a real MariaDB (design-kubernetes rules 2 and 5). */
import { expect, test } from "vitest";
import type { CommonStatus } from "../../../operator/src/runtime/object.ts";
import {
  cluster,
  createDomainAndUser,
  domains,
  domainSpec,
  ha1Of,
  installations,
  mariadb,
  md5,
  reconcile,
  secret,
  source,
  statusOf,
  subscribers,
  users,
  userSpec,
} from "./kinds-setup.ts";

test("rule 2: a domain of another namespace is served only while the cluster allows it", async () => {
  const far = {
    clusterRef: { name: "main", namespace: "voice" },
    domain: "far.example",
    aliases: ["sip.far.example"],
  };
  source.put("SipDomain", "far", "theirs", domainSpec(far));
  expect((await reconcile("SipDomain", "far/theirs")).reason).toBe("NotAllowed");
  expect(await mariadb.query("SELECT * FROM domain")).toEqual([]);
  const allowed = { namespaces: { selector: { matchLabels: { tenant: "yes" } } }, suffixes: ["far.example"] };
  source.put("SipCluster", "voice", "main", cluster({ allowedDomains: [allowed] }));
  source.namespaces.set("far", { tenant: "yes" });
  expect((await reconcile("SipDomain", "far/theirs")).reason).toBe("Reconciled");
  source.namespaces.set("far", {});
  expect((await reconcile("SipDomain", "far/theirs")).reason).toBe("NotAllowed");
  expect(await mariadb.query("SELECT domain, enabled FROM strowger_domain WHERE alias_of IS NULL")).toEqual([
    { domain: "far.example", enabled: 0 },
  ]);
});

test("rule 2: of two tenants with the same name the second has a Conflict, without information about the first", async () => {
  await createDomainAndUser();
  source.put(
    "SipCluster",
    "voice",
    "main",
    cluster({ allowedDomains: [{ namespaces: { names: ["far"] } }] }),
  );
  source.put("SipDomain", "far", "mine", domainSpec({ clusterRef: { name: "main", namespace: "voice" } }));
  expect((await reconcile("SipDomain", "far/mine")).reason).toBe("Conflict");
  const { conditions } = statusOf("SipDomain", "far/mine") as CommonStatus;
  expect(conditions?.[0]?.message).not.toMatch(/voice|SipDomain example/);
});

test("rule 2: a user of another namespace is created if the domain allows it, with a Secret of the user's namespace", async () => {
  await createDomainAndUser();
  secret("far/secret", "secret of far", "1");
  const spec = userSpec("bob", { domainRef: { name: "example", namespace: "voice" } });
  source.put("SipUser", "far", "bob", spec);
  expect((await reconcile("SipUser", "far/bob")).reason).toBe("NotAllowed");
  source.put("SipDomain", "voice", "example", domainSpec({ allowedNamespaces: { names: ["far"] } }));
  expect((await reconcile("SipUser", "far/bob")).reason).toBe("Reconciled");
  expect(await ha1Of("bob")).toBe(md5("bob:test:secret of far"));
  source.put("SipDomain", "voice", "example", domainSpec());
  expect((await reconcile("SipUser", "far/bob")).reason).toBe("NotAllowed");
  expect(await mariadb.query("SELECT enabled FROM strowger_subscriber WHERE username = 'bob'")).toEqual([
    { enabled: 0 },
  ]);
});

test("rule 5: a row of another tool is observed, then adopted with its password, then retained when the object is deleted", async () => {
  await createDomainAndUser();
  await mariadb.query(
    "INSERT INTO subscriber (username, domain, password) VALUES ('erin', 'example.com', 'plain')",
  );
  const adopting = (adoptionPolicy: string, more: object = {}) =>
    source.put(
      "SipUser",
      "voice",
      "erin",
      userSpec("erin", { adoptionPolicy, passwordSecretRef: undefined, ...more }),
    );
  adopting("Observe");
  expect((await reconcile("SipUser", "voice/erin")).reason).toBe("Observed");
  expect((await users.owned()).keys).toEqual(["voice/alice"]);
  adopting("Adopt", { maxContacts: 2 });
  expect((await reconcile("SipUser", "voice/erin")).reason).toBe("Reconciled");
  expect(statusOf("SipUser", "voice/erin")).toMatchObject({ deletionPolicy: "Retain" });
  expect(await mariadb.query("SELECT password, ha1 FROM subscriber WHERE username = 'erin'")).toEqual([
    { password: "plain", ha1: "" },
  ]);
  source.remove("SipUser", "voice", "erin");
  await users.remove("voice/erin");
  expect(await subscribers()).toEqual(["alice", "erin"]);
});

test("rule 5: Enforce overwrites a row of another tool; Adopt with another password is a Conflict", async () => {
  await createDomainAndUser();
  await mariadb.query(
    "INSERT INTO subscriber (username, domain, ha1) VALUES ('erin', 'example.com', 'theirs')",
  );
  source.put("SipUser", "voice", "erin", userSpec("erin", { adoptionPolicy: "Adopt" }));
  expect((await reconcile("SipUser", "voice/erin")).reason).toBe("Conflict");
  expect(await ha1Of("erin")).toBe("theirs");
  source.put("SipUser", "voice", "erin", userSpec("erin", { adoptionPolicy: "Enforce" }));
  expect((await reconcile("SipUser", "voice/erin")).reason).toBe("Reconciled");
  expect(await ha1Of("erin")).toBe(md5("erin:test:first"));
});

test("rule 2: Observe gives no access to another tenant's domain, neither before nor after the status is written", async () => {
  await createDomainAndUser();
  secret("far/secret", "secret of far", "1");
  const far = { clusterRef: { name: "main", namespace: "voice" }, adoptionPolicy: "Observe" };
  source.put("SipDomain", "far", "theirs", domainSpec(far));
  source.put("SipUser", "far", "ceo", userSpec("ceo", { domainRef: { name: "theirs" } }));
  expect((await reconcile("SipUser", "far/ceo")).reason).toBe("DomainNotReady");
  expect((await reconcile("SipDomain", "far/theirs")).reason).toBe("NotAllowed");
  expect((await reconcile("SipUser", "far/ceo")).reason).toBe("DomainNotReady");
  const anyDomain = { allowedDomains: [{ namespaces: { names: ["far"] } }] };
  source.put("SipCluster", "voice", "main", cluster(anyDomain));
  expect((await reconcile("SipDomain", "far/theirs")).reason).toBe("Conflict");
  expect((await reconcile("SipUser", "far/ceo")).reason).toBe("DomainNotReady");
  expect(await subscribers()).toEqual(["alice"]);
});

test("rule 2: Observe does not reveal to another namespace whether a password is correct", async () => {
  await createDomainAndUser();
  secret("far/secret", "a guess", "1");
  const guess = { domainRef: { name: "example", namespace: "voice" }, adoptionPolicy: "Observe" };
  source.put("SipUser", "far", "guess", userSpec("alice", guess));
  expect((await reconcile("SipUser", "far/guess")).reason).toBe("NotAllowed");
  source.put("SipDomain", "voice", "example", domainSpec({ allowedNamespaces: { names: ["far"] } }));
  expect((await reconcile("SipUser", "far/guess")).reason).toBe("Conflict");
  expect(JSON.stringify(statusOf("SipUser", "far/guess"))).not.toContain("differs");
});

test("users of an observed domain of another tool are created when the domain's status is Observed", async () => {
  await installations.of("voice/main");
  await mariadb.query("INSERT INTO domain (domain) VALUES ('example.com')");
  source.put("SipDomain", "voice", "example", domainSpec({ adoptionPolicy: "Observe" }));
  secret("voice/secret", "first", "1");
  source.put("SipUser", "voice", "alice", userSpec("alice"));
  expect((await reconcile("SipUser", "voice/alice")).reason).toBe("DomainNotReady");
  expect((await reconcile("SipDomain", "voice/example")).reason).toBe("Observed");
  expect((await reconcile("SipUser", "voice/alice")).reason).toBe("Reconciled");
});

test("a domain of another tool is adopted while it has users", async () => {
  await installations.of("voice/main");
  await mariadb.query("INSERT INTO domain (domain) VALUES ('example.com')");
  source.put("SipDomain", "voice", "example", domainSpec());
  expect((await reconcile("SipDomain", "voice/example")).reason).toBe("Conflict");
  source.put("SipDomain", "voice", "example", domainSpec({ adoptionPolicy: "Adopt" }));
  expect((await reconcile("SipDomain", "voice/example")).reason).toBe("Reconciled");
  await domains.remove("voice/example");
  expect(await mariadb.query("SELECT domain FROM domain")).toEqual([{ domain: "example.com" }]);
});
