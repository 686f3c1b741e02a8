/** A SipUser and the rows that a decision about it reads. */
import { createHash } from "node:crypto";
import type { Claim, Owner } from "../../../operator/src/ownership.ts";
import type { Secret } from "../../../operator/src/runtime/source.ts";
import type { UserRows } from "../../../operator/src/sip-user/current-state.ts";
import { decide } from "../../../operator/src/sip-user/decide.ts";
import { parseSipUser, type SipUser, type UserFields } from "../../../operator/src/sip-user/resource.ts";

export const reference = { kind: "SipUser", namespace: "ns", name: "alice" };
export const hash = (algorithm: string, text: string): string =>
  createHash(algorithm).update(text).digest("hex");
export const ha1 = hash("md5", "alice:realm:secret");
export const ha1Sha256 = hash("sha256", "alice:realm:secret");
export const ha1b = hash("md5", "alice@example.com:realm:secret");
export const ha1bSha256 = hash("sha256", "alice@example.com:realm:secret");
export const credential = { ha1, ha1Sha256, ha1b, ha1bSha256 };

export const user = (spec: object = {}): SipUser =>
  parseSipUser({
    kind: "SipUser",
    metadata: { namespace: "ns", name: "alice", uid: "u1", generation: 1 },
    spec: {
      domainRef: { name: "d" },
      username: "alice",
      passwordSecretRef: { name: "s", key: "password" },
      enabled: true,
      ...spec,
    },
  });

export const claim = (name: string, owner = reference): Claim => ({
  kind: "user",
  name,
  installationId: "i",
  owner,
});

export const ownerOf = (fields: Partial<UserFields> = {}): Owner<UserFields> => ({
  reference,
  uid: "u1",
  generation: 1,
  deletionPolicy: "Delete",
  fields: {
    spec: { domainRef: { name: "d" }, username: "alice" },
    username: "alice",
    domain: "example.com",
    aliases: [],
    ...fields,
  },
});

export const secret: Secret = { data: { password: "secret" } };

export const empty: UserRows = {
  kind: "ready",
  installationId: "i",
  isAllowed: true,
  owner: undefined,
  present: undefined,
  secret,
  seenSecret: undefined,
  domain: "example.com",
  realm: "realm",
  claims: [],
  olderObjects: [],
  subscribers: [],
  settings: undefined,
  aliases: [],
  hasBindings: false,
};

/** The rows as they are once `user()` was reconciled. */
export const reconciled: UserRows = {
  ...empty,
  claims: [claim("alice@example.com")],
  subscribers: [{ username: "alice", domain: "example.com", ...credential, plain: "" }],
  settings: { isEnabled: true, maxContacts: null, displayName: null },
};

export const state = (
  rows: UserRows,
  owner?: Owner<UserFields>,
  found: Secret | undefined = secret,
): UserRows => ({
  ...rows,
  owner,
  secret: found,
});

export const does = (decided: ReturnType<typeof decide>): string[] =>
  decided.actions.map((action) => action.do);

export const account = { username: "alice", domain: "example.com" };

export const off = {
  do: "saveSettings",
  account,
  settings: { isEnabled: false, maxContacts: 2, displayName: null },
};

export const retained = {
  owner: ownerOf(),
  settings: { isEnabled: true, maxContacts: 2, displayName: null },
  hasBindings: true,
};

export const other = { ...reference, name: "other" };

/** The rows of `user({ aliases: ["100", "200"] })`, while another object has 300. */
export const withTakenAlias: UserRows = {
  ...reconciled,
  owner: ownerOf({ aliases: ["100", "200"] }),
  claims: [
    ...["alice", "100", "200"].map((name) => claim(`${name}@example.com`)),
    claim("300@example.com", other),
  ],
  aliases: ["100", "200"].map((alias) => ({ alias, target: account })),
  hasBindings: true,
};

/** Only rows with a name of the spec are read. */
export function seenBy(wants: SipUser, rows: UserRows): UserRows {
  const names = [wants.username, ...wants.aliases];
  const isSeen = (name: string): boolean =>
    names.some((one) => name === one || name === `${one}@example.com`);
  return {
    ...rows,
    claims: rows.claims.filter(({ name }) => isSeen(name)),
    aliases: rows.aliases.filter(({ alias }) => isSeen(alias)),
  };
}

export const decideSeen = (wants: SipUser, rows: UserRows) => decide(wants, seenBy(wants, rows));
