/** Several credentials in one request, and the response when none is valid (RFC 3261 §22.3). */
import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { requestOf } from "../../../test/support/sip-message.ts";
import { admit, type ChallengerRole } from "./admit.ts";
import type { DigestAccount } from "./authenticate.ts";
import { deriveRing } from "./key-ring.ts";
import { issueNonce } from "./nonce.ts";
import { NonceCounts } from "./nonce-counts.ts";

const now = 1_800_000_000_000;
const keys = deriveRing(
  [{ id: "k", key: Buffer.alloc(32, "k"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }],
  "nonce",
);
const realm = { realm: "example.com", algorithms: ["MD5"] } as const;
const accounts: readonly DigestAccount[] = ["alice", "bob"].map((username) => ({
  username,
  realm: "example.com",
  password: username,
}));
const logins = accounts.map((account) => ({ name: account.username, account }));
const uri = "sip:example.com";
const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

interface Deviation {
  readonly password?: string;
  readonly nonce?: string;
  readonly qop?: string;
}

function credentials(username: string, wrong: Deviation = {}): string {
  const { password = username, nonce = issueNonce(keys, "call-1", now), qop = "auth" } = wrong;
  const ha1 = md5(`${username}:example.com:${password}`);
  const response = md5(`${ha1}:${nonce}:00000001:c:${qop}:${md5(`OPTIONS:${uri}`)}`);
  return `Digest username="${username}", realm="example.com", nonce="${nonce}", uri="${uri}", response="${response}", qop=${qop}, nc=00000001, cnonce="c"`;
}

const admitWith = (values: readonly string[], role: ChallengerRole = "proxy") =>
  admit(
    requestOf("OPTIONS", uri, { [role === "proxy" ? "Proxy-Authorization" : "Authorization"]: values }),
    role,
    realm,
    logins,
    { keys, nonceLifetime: 300_000, nonceCounts: new NonceCounts(), dummyHa1: "0".repeat(64) },
    now,
  );

const staleNonce = issueNonce(keys, "call-0", now);
const noQop = credentials("alice", { qop: "auth-int" });
const wrong = credentials("alice", { password: "x" });

it("the first valid credentials authenticate the request, at any position", () => {
  for (const values of [
    [credentials("bob"), credentials("alice")],
    [wrong, noQop, credentials("alice", { nonce: staleNonce }), credentials("bob")],
    ["Digest broken", credentials("bob")],
  ])
    expect(admitWith(values)).toMatchObject({ kind: "admitted", account: { username: "bob" } });
});

it.each([
  ["no credentials", [], 407, false],
  ["wrong credentials", [wrong, wrong], 407, false],
  [
    "stale credentials beside wrong ones",
    [wrong, credentials("bob", { nonce: staleNonce }), wrong],
    407,
    true,
  ],
  ["credentials without qop=auth beside wrong ones", [noQop, wrong], 407, false],
  ["only credentials without qop=auth", [noQop, noQop], 400, false],
  ["malformed credentials", ["Digest broken"], 400, false],
  ["credentials of a user without an account", [credentials("carol")], 407, false],
])("a request with %s is refused", (_, values, status, isStale) => {
  const answer = admitWith(values);
  expect(answer).toMatchObject({ kind: "reject", status });
  expect(answer.kind === "reject" && answer.lines.includes("stale=true")).toBe(isStale);
});

it("§22.2, §22.3: a registrar reads Authorization only, a proxy Proxy-Authorization only", () => {
  const request = (name: string) => requestOf("OPTIONS", uri, { [name]: credentials("bob") });
  const kinds = (["Authorization", "Proxy-Authorization"] as const).map((name) =>
    (["registrar", "proxy"] as const).map((role) => {
      const authenticator = {
        keys,
        nonceLifetime: 1,
        nonceCounts: new NonceCounts(),
        dummyHa1: "0".repeat(64),
      };
      return admit(request(name), role, realm, logins, authenticator, now).kind;
    }),
  );
  expect(kinds).toEqual([
    ["admitted", "reject"],
    ["reject", "admitted"],
  ]);
});

it("a realm that is not ASCII is compared in its encoded form", () => {
  const value = credentials("bob").replace('realm="example.com"', 'realm="b\u00c3\u00bcro"');
  const answer = admit(
    requestOf("OPTIONS", uri, { "Proxy-Authorization": value }),
    "proxy",
    { ...realm, realm: "büro" },
    logins,
    { keys, nonceLifetime: 1, nonceCounts: new NonceCounts(), dummyHa1: "0".repeat(64) },
    now,
  );
  expect(answer).toMatchObject({ kind: "admitted" });
});
