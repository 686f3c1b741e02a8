import { expect, test } from "vitest";
import { readExchange, type YamlObject } from "./exchange.ts";

const place = { namespace: "default", data: {} };
const cluster = {
  ...place,
  kind: "SipCluster",
  name: "exchange",
  spec: { replicas: 3, peers: ["192.0.2.7"] },
};
const domain = {
  ...place,
  kind: "SipDomain",
  name: "home",
  spec: { domain: "home.example", clusterRef: { name: "exchange" } },
};
const secret = {
  ...place,
  kind: "Secret",
  name: "words",
  spec: undefined,
  data: { alice: "one", password: "two" },
};

function user(name: string, spec: Record<string, unknown> = {}): YamlObject {
  const reference = { passwordSecretRef: { name: "words", key: name } };
  return {
    ...place,
    kind: "SipUser",
    name,
    spec: { username: name, domainRef: { name: "home" }, ...reference, ...spec },
  };
}

test("replicas and peers come from the SipCluster; two nodes where nothing is said", () => {
  expect(readExchange([cluster])).toMatchObject({ replicas: 3, peers: ["192.0.2.7"] });
  expect(readExchange([])).toEqual({ replicas: 2, peers: [], logins: [] });
});

test("a password is the named key of the Secret, `password` where none is named", () => {
  const bob = user("bob", { passwordSecretRef: { name: "words" } });
  expect(readExchange([cluster, domain, secret, user("alice"), bob]).logins).toEqual([
    { key: "default/alice", username: "alice", domain: "home.example", password: "one" },
    { key: "default/bob", username: "bob", domain: "home.example", password: "two" },
  ]);
});

test("a generated password is the one in the Secret that the operator made", () => {
  const made = user("alice", { passwordSecretRef: undefined, generatePassword: true });
  const generated = new Map([["default/alice-sip-password", "made"]]);
  expect(readExchange([cluster, domain, made], generated).logins[0]?.password).toBe("made");
  expect(readExchange([cluster, domain, made]).logins[0]?.password).toBeUndefined();
});

test("a user whose Secret is absent has no known password", () => {
  expect(readExchange([cluster, domain, user("alice")]).logins[0]?.password).toBeUndefined();
});

test("disabled users, users of a disabled domain and of another namespace's domain are left out", () => {
  const closed = { ...domain, name: "closed", spec: { ...domain.spec, enabled: false } };
  const users = [
    user("alice", { enabled: false }),
    user("bob", { domainRef: { name: "closed" } }),
    { ...user("carol"), namespace: "elsewhere" },
  ];
  expect(readExchange([cluster, domain, closed, secret, ...users]).logins).toEqual([]);
});
