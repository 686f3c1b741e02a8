import { expect, test } from "vitest";
import { readExchange, type YamlObject } from "./exchange.ts";

const inDefault = { namespace: "default", data: {} };
const cluster = {
  ...inDefault,
  kind: "SipCluster",
  name: "exchange",
  spec: { replicas: 3, peers: ["192.0.2.7"] },
};
const domain = {
  ...inDefault,
  kind: "SipDomain",
  name: "home",
  spec: { domain: "home.example", clusterRef: { name: "exchange" } },
};
const secret = {
  ...inDefault,
  kind: "Secret",
  name: "words",
  spec: undefined,
  data: { alice: "one", password: "two" },
};

function user(name: string, spec: Record<string, unknown> = {}): YamlObject {
  const reference = { passwordSecretRef: { name: "words", key: name } };
  return {
    ...inDefault,
    kind: "SipUser",
    name,
    spec: { username: name, domainRef: { name: "home" }, ...reference, ...spec },
  };
}

test("replicas and peers come from the SipCluster; the default is two nodes", () => {
  expect(readExchange([cluster])).toMatchObject({ replicas: 3, peers: ["192.0.2.7"] });
  expect(readExchange([])).toEqual({ replicas: 2, peers: [], logins: [] });
});

test("a password is read from the named key of the Secret; the default key is `password`", () => {
  const bob = user("bob", { passwordSecretRef: { name: "words" } });
  expect(readExchange([cluster, domain, secret, user("alice"), bob]).logins).toEqual([
    { key: "default/alice", username: "alice", domain: "home.example", password: "one" },
    { key: "default/bob", username: "bob", domain: "home.example", password: "two" },
  ]);
});

test("a generated password is read from the Secret that the operator made", () => {
  const made = user("alice", { passwordSecretRef: undefined, generatePassword: true });
  const generated = new Map([["default/alice-sip-password", "made"]]);
  expect(readExchange([cluster, domain, made], generated).logins[0]?.password).toBe("made");
  expect(readExchange([cluster, domain, made]).logins[0]?.password).toBeUndefined();
});

test("a user whose Secret is absent has no known password", () => {
  expect(readExchange([cluster, domain, user("alice")]).logins[0]?.password).toBeUndefined();
});

test("disabled users, users of a disabled domain and of another namespace's domain are left out", () => {
  const disabled = { ...domain, name: "disabled", spec: { ...domain.spec, enabled: false } };
  const users = [
    user("alice", { enabled: false }),
    user("bob", { domainRef: { name: "disabled" } }),
    { ...user("carol"), namespace: "elsewhere" },
  ];
  expect(readExchange([cluster, domain, disabled, secret, ...users]).logins).toEqual([]);
});
