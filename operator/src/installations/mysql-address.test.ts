import { expect, test } from "vitest";
import { UnusableAddress } from "../adapters/mysql/failure.ts";
import { mysqlAddress, type MysqlSpec } from "./mysql-address.ts";

const spec: MysqlSpec = {
  hosts: ["db", "db-2"],
  port: 3306,
  database: "opensips",
  credentialsSecretRef: { name: "nodes" },
  tls: { caSecretRef: { name: "ca", key: "root.pem" } },
};
const login = { data: { username: "u", password: "p" } };
const ca = { data: { "root.pem": "PEM" } };

const reasonOf = (...secrets: readonly [typeof login | undefined, typeof ca | undefined]): string => {
  try {
    mysqlAddress("tel", spec, ...secrets);
  } catch (error) {
    if (error instanceof UnusableAddress) return `${error.reason}: ${error.message}`;
    throw error;
  }
  return "none";
};

test("an address needs the login and the certificate that the spec names", () => {
  expect(mysqlAddress("tel", spec, login, ca)).toMatchObject({
    user: "u",
    password: "p",
    ca: "PEM",
    tls: "verify",
  });
});

test("a missing Secret and a missing key have different reasons", () => {
  expect(reasonOf(undefined, ca)).toContain("SecretNotFound: there is no Secret tel/nodes");
  expect(reasonOf({ data: { username: "u" } as never }, ca)).toContain(
    "SecretKeyNotFound: Secret tel/nodes has no key password",
  );
  expect(reasonOf(login, undefined)).toContain("SecretNotFound: there is no Secret tel/ca");
  expect(reasonOf(login, { data: {} as never })).toContain(
    "SecretKeyNotFound: Secret tel/ca has no key root.pem",
  );
});
