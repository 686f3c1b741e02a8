/** Each check of a SipUser has an object that fails it and passes all other checks. */
import { expect, test } from "vitest";
import type { Owner } from "../ownership.ts";
import { runChecks } from "../runtime/check.ts";
import { checkInput, userChecks, type UserCheckInput } from "./checks.ts";
import type { UserRows } from "./current-state.ts";
import { parseSipUser, type SipUser, type UserFields } from "./resource.ts";

const withSecret = { passwordSecretRef: { name: "s", key: "password" } };

const userWith = (spec: object): SipUser =>
  parseSipUser({
    kind: "SipUser",
    metadata: { namespace: "ns", name: "alice", uid: "u1", generation: 1 },
    spec: { domainRef: { name: "d" }, username: "alice", enabled: true, ...spec },
  });

const reference = { kind: "SipUser", namespace: "ns", name: "alice" };
const other = { ...reference, name: "other" };

const ownerWith = (more: Partial<Owner<UserFields>>, spec: object = {}): Owner<UserFields> => ({
  reference,
  uid: "u1",
  generation: 1,
  deletionPolicy: "Delete",
  fields: {
    spec: { domainRef: { name: "d" }, username: "alice", ...spec },
    username: "alice",
    domain: "example.com",
    aliases: [],
  },
  ...more,
});

const inputWith = (more: Partial<UserRows>, spec: object = withSecret): UserCheckInput =>
  checkInput(userWith(spec), {
    kind: "ready",
    installationId: "i",
    isAllowed: true,
    owner: undefined,
    present: undefined,
    secret: { data: { password: "secret" } },
    seenSecret: undefined,
    domain: "example.com",
    realm: "realm",
    claims: [],
    olderObjects: [],
    subscribers: [],
    settings: undefined,
    aliases: [],
    hasBindings: false,
    ...more,
  });

const foreignRow = {
  username: "alice",
  domain: "example.com",
  ha1: "0",
  ha1Sha256: "",
  ha1b: "",
  ha1bSha256: "",
  plain: "",
};

const failing: Readonly<Record<string, UserCheckInput>> = {
  "the owner of the rows is known": inputWith({
    owner: ownerWith({ uid: "u0" }),
    present: { is: "unknown", why: "timeout" },
  }),
  "immutable fields are unchanged": inputWith({ owner: ownerWith({}, { username: "bob" }) }),
  "the SipDomain allows the namespace": inputWith({ isAllowed: false }),
  "no other object has a name": inputWith({
    claims: [{ kind: "user", name: "alice@example.com", installationId: "i", owner: other }],
  }),
  "no older object requests a name": inputWith({
    olderObjects: [{ name: "alice@example.com", owner: other }],
  }),
  "the Secret could be read": inputWith({ secret: undefined, secretFailure: new Error("timeout") }),
  "rows of other tools can be taken over": inputWith({ subscribers: [foreignRow] }),
  "each alias is listed once": inputWith({}, { ...withSecret, aliases: ["100", "100"] }),
  "the password was generated": inputWith({ secret: undefined }, { generatePassword: true }),
  "the Secret has a usable credential": inputWith({ secret: { data: { password: "" } } }),
  "there is a credential": inputWith({}, {}),
};

test.each(userChecks)("$name: one object fails exactly this check", ({ name }) => {
  const input = failing[name];
  if (input === undefined) throw new Error("add an object that fails this check");
  const failed = userChecks.filter(({ failure }) => failure(input) !== undefined);
  expect(failed.map((check) => check.name)).toEqual([name]);
  expect(runChecks(userChecks, input)).toMatchObject({ name, ready: { type: "Ready", status: "False" } });
});

test("an object without a problem passes all checks", () => {
  expect(runChecks(userChecks, inputWith({}))).toBeUndefined();
});
