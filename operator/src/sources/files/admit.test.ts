import { expect, test } from "vitest";
import { admit } from "./admit.ts";

const user = (spec: object, metadata: object = { name: "alice" }): object => ({
  apiVersion: "sip.strowger.dev/v1alpha1",
  kind: "SipUser",
  metadata,
  spec: { domainRef: { name: "d" }, username: "alice", passwordSecretRef: { name: "s" }, ...spec },
});

const domain = (spec: object): object => ({
  apiVersion: "sip.strowger.dev/v1alpha1",
  kind: "SipDomain",
  metadata: { name: "d" },
  spec: { clusterRef: { name: "c" }, domain: "example.com", ...spec },
});

/** The messages of the errors; empty if the object is valid. */
function problems(object: unknown, oldSpec?: unknown): readonly string[] {
  const admitted = admit(object, oldSpec);
  return "kind" in admitted ? [] : admitted.map(({ message }) => message);
}

test("defaults are set, as the API server does", () => {
  expect(admit(user({}), undefined)).toMatchObject({
    metadata: { namespace: "default" },
    spec: { enabled: true, passwordSecretRef: { name: "s", key: "password" } },
  });
});

test("an unknown field is refused, with a suggestion", () => {
  expect(problems(user({ enable: false }))).toEqual(["spec.enable is not a field; did you mean enabled?"]);
  expect(problems(user({ passwordSecretRef: { nam: "s" } }))).toContain(
    "spec.passwordSecretRef.nam is not a field; did you mean name?",
  );
  expect(problems({ ...user({}), status: {} })).toEqual(["status is not a field; the operator writes it"]);
});

test("an unknown kind or version is refused, and the known ones are listed", () => {
  expect(problems({ ...user({}), kind: "SipUsr" })[0]).toMatch(
    /kind "SipUsr" is not known.*did you mean SipUser\?/,
  );
  expect(problems({ ...user({}), apiVersion: "v1" })[0]).toMatch(/expected sip.strowger.dev\/v1alpha1/);
  expect(problems(null)).toHaveLength(1);
  expect(problems({ kind: [[]] })).toHaveLength(1);
});

test("one credential is required; none is allowed if adoptionPolicy leaves the row's credential", () => {
  const none =
    "spec: set one of passwordSecretRef, ha1SecretRef and generatePassword; it may be omitted only with adoptionPolicy Observe or Adopt";
  const several = "spec: set only one of passwordSecretRef, ha1SecretRef and generatePassword";
  const without = { passwordSecretRef: undefined };
  expect(problems(user(without))).toEqual([none]);
  expect(problems(user({ ...without, generatePassword: false }))).toEqual([none]);
  expect(problems(user({ ...without, adoptionPolicy: "Enforce" }))).toEqual([none]);
  expect(problems(user({ generatePassword: true }))).toEqual([several]);
  expect(problems(user({ ...without, generatePassword: true }))).toEqual([]);
  expect(problems(user({ ...without, ha1SecretRef: { name: "s" } }))).toEqual([]);
  expect(problems(user({ ...without, adoptionPolicy: "Observe" }))).toEqual([]);
  expect(problems(user({ ...without, adoptionPolicy: "Adopt" }))).toEqual([]);
});

test("RFC 3261 §25.1: a username has at most 64 characters of `user`, without escapes", () => {
  for (const name of ["alice", "+44-20.7946(0)", "a&b=c", "x;y?z/", "_"])
    expect(problems(user({ username: name }))).toEqual([]);
  for (const name of ["", "a b", "a@b", "a:b", "älice", "a%20b", "a".repeat(65)]) {
    expect(problems(user({ username: name })), name).not.toEqual([]);
  }
});

test("the user * is reserved, also as an alias", () => {
  expect(problems(user({ username: "*" }))).toEqual(["spec.username: '*' is reserved"]);
  expect(problems(user({ aliases: ["100", "*"] }))).toEqual(["spec.aliases.1: '*' is reserved"]);
});

test("aliases are unique, and differ from the username", () => {
  expect(problems(user({ aliases: ["100", "100"] }))).toEqual(["spec.aliases has a duplicate item"]);
  expect(problems(user({ aliases: ["alice"] }))).toEqual([
    "spec.aliases: an alias must differ from the username itself",
  ]);
  expect(problems(domain({ aliases: ["example.com"] }))).toHaveLength(1);
});

test("domains are host names that fit the column", () => {
  for (const name of ["example.com", "EXAMPLE.com", "localhost", "127.0.0.1"])
    expect(problems(domain({ domain: name }))).toEqual([]);
  for (const name of ["", "a..b", "-a.b", "a_b", "a b", `${"a".repeat(60)}.long.com`])
    expect(problems(domain({ domain: name })), name).not.toEqual([]);
});

test("registration limits are in order", () => {
  expect(
    problems(
      domain({
        registration: { minExpiresSeconds: 60, defaultExpiresSeconds: 600, maxExpiresSeconds: 3600 },
      }),
    ),
  ).toEqual([]);
  expect(problems(domain({ registration: { minExpiresSeconds: 700, defaultExpiresSeconds: 600 } }))).toEqual([
    "spec.registration.minExpiresSeconds: minExpiresSeconds must not be above defaultExpiresSeconds",
  ]);
  expect(
    problems(domain({ registration: { defaultExpiresSeconds: 600, maxExpiresSeconds: 60 } })),
  ).toHaveLength(1);
  expect(problems(domain({ registration: { maxExpiresSeconds: 0 } }))).toHaveLength(1);
});

test("immutable fields are compared with the stored spec; without a stored spec any value is valid", () => {
  const stored = { domainRef: { name: "d" }, username: "bob" };
  expect(problems(user({}), stored)).toEqual(["spec.username: username is immutable; create a new SipUser"]);
  expect(problems(user({}), { ...stored, username: "alice" })).toEqual([]);
  expect(problems(user({}))).toEqual([]);
  const storedDomain = { clusterRef: { name: "c" }, domain: "example.com" };
  expect(problems(domain({ realm: "other" }), storedDomain)).toHaveLength(1);
  expect(problems(domain({}), { ...storedDomain, realm: "other" })).toHaveLength(1);
  expect(problems(domain({}), storedDomain)).toEqual([]);
});

test("all problems of an object are reported together", () => {
  expect(
    problems(user({ username: "a b", maxContacts: 0, deletionPolicy: "Keep", domainRef: undefined })),
  ).toHaveLength(4);
});
