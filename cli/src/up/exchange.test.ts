import { expect, test } from "vitest";
import { readExchange, type YamlObject } from "./exchange.ts";

const cluster = {
  kind: "SipCluster",
  metadata: { name: "exchange" },
  spec: { replicas: 3, peers: ["192.0.2.7"] },
};
const domain = {
  kind: "SipDomain",
  metadata: { name: "home" },
  spec: { domain: "home.example", clusterRef: { name: "exchange" } },
};
const secret = {
  kind: "Secret",
  metadata: { name: "words" },
  stringData: { alice: "plain" },
  data: { bob: Buffer.from("encoded").toString("base64") },
};

function user(name: string, spec: Record<string, unknown> = {}): YamlObject {
  const reference = { passwordSecretRef: { name: "words", key: name } };
  return {
    kind: "SipUser",
    metadata: { name },
    spec: { username: name, domainRef: { name: "home" }, ...reference, ...spec },
  };
}

test("replicas and peers come from the SipCluster; two nodes where nothing is said", () => {
  expect(readExchange([cluster])).toMatchObject({ replicas: 3, peers: ["192.0.2.7"] });
  expect(readExchange([])).toEqual({ replicas: 2, peers: [], logins: [] });
});

test("passwords are read from stringData and from data", () => {
  expect(readExchange([cluster, domain, secret, user("alice"), user("bob")]).logins).toEqual([
    { username: "alice", domain: "home.example", password: "plain" },
    { username: "bob", domain: "home.example", password: "encoded" },
  ]);
});

test("a user whose Secret is absent has no known password", () => {
  expect(readExchange([cluster, domain, user("alice")]).logins[0]?.password).toBeUndefined();
});

test("disabled users, users of a disabled domain and of another namespace's domain are left out", () => {
  const closed = { ...domain, metadata: { name: "closed" }, spec: { ...domain.spec, enabled: false } };
  const users = [
    user("alice", { enabled: false }),
    user("bob", { domainRef: { name: "closed" } }),
    { ...user("carol"), metadata: { name: "carol", namespace: "elsewhere" } },
  ];
  expect(readExchange([cluster, domain, closed, secret, ...users]).logins).toEqual([]);
});
