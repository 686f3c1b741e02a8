/** Which credential a Secret gives (RFC 2617 §3.2.2.2, RFC 7616 §3.4.2), and what is refused. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { credentialOf, type CredentialInput } from "./credential.ts";
import type { CredentialSource, SipUser } from "./resource.ts";

const user = { username: "alice", uid: "u1" } as SipUser;
const hash = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest("hex");
const md5 = "0123456789abcdef".repeat(2);
const sha256 = "0123456789abcdef".repeat(4);

function of(
  kind: CredentialSource["kind"],
  data: Record<string, string>,
  more: Partial<CredentialInput> = {},
) {
  const secret = { data, generatedFor: "u1" };
  return credentialOf(
    user,
    { kind, secret: "ns/s", key: "k" },
    { domain: "h", realm: "r", owner: undefined, secret, ...more },
  );
}

test("a password becomes both hashes with username and realm, for all characters of a keyboard", () => {
  for (const password of ["secret", " two words ", "ключ:ß"])
    expect(of("password", { k: password })).toEqual({
      ha1: hash("md5", `alice:r:${password}`),
      ha1Sha256: hash("sha256", `alice:r:${password}`),
      ha1b: hash("md5", `alice@h:r:${password}`),
      ha1bSha256: hash("sha256", `alice@h:r:${password}`),
    });
});

test.each([
  ["empty", ""],
  ["ended by a line break", "a\n"],
  ["ended by a carriage return", "a\r"],
  ["with a line break inside", "a\nb"],
  ["with a control character", "a\x00"],
  ["with a DEL", "a\x7f"],
])("a password %s is refused, and the message does not hold it", (_what, password) => {
  const refused = of("password", { k: password });
  expect(refused).toMatchObject({ status: "False", reason: "InvalidSecret" });
  expect(JSON.stringify(refused)).not.toContain(JSON.stringify(password).slice(1, -1) || "never");
});

test("hashes are stored in lower case; SHA-256 may be missing, and another length is refused", () => {
  const upper = { k: md5.toUpperCase(), k_sha256: sha256.toUpperCase() };
  expect(of("ha1", upper)).toMatchObject({ ha1: md5, ha1Sha256: sha256 });
  expect(of("ha1", { k: md5 })).toEqual({ ha1: md5, ha1Sha256: "", ha1b: "", ha1bSha256: "" });
  for (const data of [{ k: md5.slice(1) }, { k: `${md5}0` }, { k: "g".repeat(32) }])
    expect(of("ha1", data)).toMatchObject({ reason: "InvalidSecret" });
  for (const k_sha256 of [sha256.slice(1), `${sha256}0`, md5])
    expect(of("ha1", { k: md5, k_sha256 })).toMatchObject({ reason: "InvalidSecret" });
});

test("a generated password counts for the object that it was generated for, and for its successor", () => {
  const owner = { fields: { generatedFor: "u0" } } as CredentialInput["owner"];
  const made = (generatedFor: string) => ({ secret: { data: { k: "secret" }, generatedFor } });
  expect(of("generated", {}, made("u1"))).toHaveProperty("ha1");
  expect(of("generated", {}, { ...made("u0"), owner })).toHaveProperty("ha1");
  expect(of("generated", {}, made("u0"))).toMatchObject({ reason: "SecretConflict" });
  expect(of("generated", {}, { secret: { data: { k: "secret" } } })).toMatchObject({
    reason: "SecretConflict",
  });
});

test("a missing Secret or key is named", () => {
  expect(of("password", {}, { secret: undefined })).toMatchObject({ reason: "SecretNotFound" });
  expect(of("password", { other: "x" })).toMatchObject({ reason: "SecretKeyNotFound" });
});
