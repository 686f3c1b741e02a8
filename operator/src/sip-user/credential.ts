/** The stored form of a user's credential (RFC 2617 §3.2.2.2 and RFC 7616 §3.4.2: H(username:realm:password)), or why there is none. Pure. */
import { createHash } from "node:crypto";
import type { Credential } from "../adapters/mysql/user-rows.ts";
import type { Verdict } from "../runtime/condition.ts";
import { notReady } from "../runtime/decision.ts";
import { splitKey } from "../runtime/object.ts";
import type { Secret } from "../runtime/source.ts";
import type { Owner } from "../ownership.ts";
import type { CredentialSource, SipUser, UserFields } from "./resource.ts";
import { ownValue } from "../runtime/own-value.ts";

/** Reasons for having none. */
export const credentialReasons = {
  notFound: "SecretNotFound",
  keyNotFound: "SecretKeyNotFound",
  invalid: "InvalidSecret",
  conflict: "SecretConflict",
} as const;

/** What it takes beside the user. A password that was generated for an earlier object counts where we have taken over its rows. */
export interface CredentialWorld {
  readonly realm: string;
  readonly secret: Secret | undefined;
  readonly owner: Owner<UserFields> | undefined;
}

export function credentialOf(
  { username, uid }: SipUser,
  credential: CredentialSource,
  { realm, secret, owner }: CredentialWorld,
): Credential | Verdict {
  const name = `Secret ${splitKey(credential.secret).name}`;
  if (secret === undefined)
    return notReady(credentialReasons.notFound, `there is no ${name} in this namespace`);
  const isGeneratedForUs = [uid, owner?.fields.generatedFor].includes(secret.generatedFor ?? "");
  if (credential.kind === "generated" && !isGeneratedForUs) {
    return notReady(
      credentialReasons.conflict,
      `${name} is there and was not generated for this user; it is left as it is (remove it, and a new password is made)`,
    );
  }
  const value = ownValue(secret.data, credential.key);
  if (value === undefined)
    return notReady(credentialReasons.keyNotFound, `${name} has no key ${credential.key}`);
  return credential.kind === "ha1"
    ? fromHa1(
        value,
        ownValue(secret.data, `${credential.key}_sha256`) ?? "",
        `${name}, key ${credential.key}`,
      )
    : fromPassword(username, realm, value, `${name}, key ${credential.key}`);
}

function fromPassword(
  username: string,
  realm: string,
  password: string,
  place: string,
): Credential | Verdict {
  if (password === "") return notReady(credentialReasons.invalid, `${place}: the password is empty`);
  // `echo password | base64` leaves one, and no phone sends it.
  if (/[\r\n]$/.test(password))
    return notReady(credentialReasons.invalid, `${place}: the password ends with a line break`);
  if (/[\x00-\x1f\x7f]/.test(password))
    return notReady(credentialReasons.invalid, `${place}: the password has a control character`);
  const text = `${username}:${realm}:${password}`;
  return { ha1: hash("md5", text), ha1Sha256: hash("sha256", text) };
}

function fromHa1(ha1: string, ha1Sha256: string, place: string): Credential | Verdict {
  if (!/^[0-9a-fA-F]{32}$/.test(ha1))
    return notReady(credentialReasons.invalid, `${place}: expected 32 hexadecimal digits`);
  if (!/^([0-9a-fA-F]{64})?$/.test(ha1Sha256))
    return notReady(credentialReasons.invalid, `${place}_sha256: expected 64 hexadecimal digits`);
  return { ha1: ha1.toLowerCase(), ha1Sha256: ha1Sha256.toLowerCase() };
}

const hash = (algorithm: "md5" | "sha256", text: string): string =>
  createHash(algorithm).update(text).digest("hex");
