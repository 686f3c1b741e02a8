/**
 * Builds the stored form of a user's credential (RFC 2617 §3.2.2.2 and RFC 7616 §3.4.2: H(username:realm:password)), for the user name and for
 * the login name username@domain; or the condition that says why there is none. Pure.
 */
import { createHash } from "node:crypto";
import type { Account, Credential, SubscriberRow } from "../adapters/mysql/user-rows.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { notReady } from "../runtime/decision.ts";
import { splitKey } from "../runtime/object.ts";
import type { Secret } from "../runtime/source.ts";
import type { Owner } from "../ownership.ts";
import type { CredentialSource, SipUser, UserFields } from "./resource.ts";
import { ownValue } from "../runtime/own-value.ts";

/** Reasons for a missing or unusable credential. */
export const credentialReasons = {
  notFound: "SecretNotFound",
  keyNotFound: "SecretKeyNotFound",
  invalid: "InvalidSecret",
  conflict: "SecretConflict",
} as const;

/** A password that was generated for an earlier object counts where this object took over its rows. */
export interface CredentialInput {
  readonly domain: string;
  readonly realm: string;
  readonly secret: Secret | undefined;
  readonly owner: Owner<UserFields> | undefined;
}

export function credentialOf(
  { username, uid }: SipUser,
  credential: CredentialSource,
  { domain, realm, secret, owner }: CredentialInput,
): Credential | NewCondition {
  const name = `Secret ${splitKey(credential.secret).name}`;
  if (secret === undefined)
    return notReady(credentialReasons.notFound, `there is no ${name} in this namespace`);
  const isGeneratedForUs = [uid, owner?.fields.generatedFor].includes(secret.generatedFor ?? "");
  if (credential.kind === "generated" && !isGeneratedForUs) {
    return notReady(
      credentialReasons.conflict,
      `${name} exists and was not generated for this user; it stays as it is (after you remove it, a new password is generated)`,
    );
  }
  const value = ownValue(secret.data, credential.key);
  if (value === undefined)
    return notReady(credentialReasons.keyNotFound, `${name} has no key ${credential.key}`);
  return credential.kind === "ha1"
    ? fromHa1(secret.data, credential.key, name)
    : fromPassword({ username, domain }, realm, value, `${name}, key ${credential.key}`);
}

function fromPassword(
  { username, domain }: Account,
  realm: string,
  password: string,
  place: string,
): Credential | NewCondition {
  if (password === "") return notReady(credentialReasons.invalid, `${place}: the password is empty`);
  // `echo password | base64` adds a line break, and no phone sends it.
  if (/[\r\n]$/.test(password))
    return notReady(credentialReasons.invalid, `${place}: the password ends with a line break`);
  if (/[\x00-\x1f\x7f]/.test(password))
    return notReady(credentialReasons.invalid, `${place}: the password has a control character`);
  const [text, atDomain] = [username, `${username}@${domain}`].map(
    (login) => `${login}:${realm}:${password}`,
  ) as [string, string];
  return {
    ha1: hash("md5", text),
    ha1Sha256: hash("sha256", text),
    ha1b: hash("md5", atDomain),
    ha1bSha256: hash("sha256", atDomain),
  };
}

/** Reads the HA1 under the key itself, and the optional hashes beside it: for SHA-256 and for the login name username@domain. */
function fromHa1(data: Secret["data"], key: string, secret: string): Credential | NewCondition {
  const parts = [
    { suffix: "", digits: 32 },
    { suffix: "_sha256", digits: 64 },
    { suffix: "b", digits: 32 },
    { suffix: "b_sha256", digits: 64 },
  ].map(({ suffix, digits }) => ({ name: key + suffix, digits, value: ownValue(data, key + suffix) ?? "" }));
  const bad = parts.find(
    ({ name, digits, value }) =>
      !(value === "" && name !== key) && (value.length !== digits || !/^[0-9a-fA-F]+$/.test(value)),
  );
  if (bad !== undefined)
    return notReady(
      credentialReasons.invalid,
      `${secret}, key ${bad.name}: expected ${bad.digits} hexadecimal digits`,
    );
  const [ha1 = "", ha1Sha256 = "", ha1b = "", ha1bSha256 = ""] = parts.map(({ value }) =>
    value.toLowerCase(),
  );
  return { ha1, ha1Sha256, ha1b, ha1bSha256 };
}

/** Whether the row accepts this credential only. An earlier password in any column would still be accepted. */
export const isStored = (credential: Credential, row: SubscriberRow): boolean =>
  (["ha1", "ha1Sha256", "ha1b", "ha1bSha256"] as const).every(
    (column) => row[column] === credential[column],
  ) && row.plain === "";

const hash = (algorithm: "md5" | "sha256", text: string): string =>
  createHash(algorithm).update(text).digest("hex");
