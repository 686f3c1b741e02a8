/** Challenge, credentials and decision, with one phone and two nodes. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type DigestCredentials, parseDigestCredentials } from "../wire/digest-credentials.ts";
import { isProblem, problem } from "../wire/problem.ts";
import { authenticate, type Authenticator, type DigestAccount, type RequestFacts } from "./authenticate.ts";
import { buildChallenges } from "./challenge.ts";
import { hashPassword } from "./digest.ts";
import { type DerivedRing, deriveRing } from "./key-ring.ts";
import { checkNonce, issueNonce } from "./nonce.ts";
import { NonceCounts } from "./nonce-counts.ts";
import { toWireText } from "../wire/wire-text.ts";

const start = 1_800_000_000_000;
const lifetime = 300_000;
const ringOf = (seed: string): DerivedRing =>
  deriveRing(
    [{ id: `k-${seed}`, key: Buffer.alloc(32, seed), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }],
    "nonce",
  );
const nodeOf = (keys = ringOf("a")): Authenticator => ({
  keys,
  nonceLifetime: lifetime,
  nonceCounts: new NonceCounts(),
  dummyHa1: "0123456789abcdef".repeat(4),
});
const bob: DigestAccount = {
  username: "bob",
  realm: "example.com",
  ha1: hashPassword("MD5", "bob", "example.com", "secret"),
};
/** The facts of the request, and the URI in the digest. */
type AuthRequest = RequestFacts & { readonly uri: string };

const register: AuthRequest = {
  method: "REGISTER",
  uri: "sip:example.com",
  callId: "call-1",
  algorithms: ["MD5"],
};
const invite: AuthRequest = { ...register, method: "INVITE", uri: "sip:alice@example.com" };
const authenticated = { kind: "authenticated", username: "bob", nonceAt: start, nonceCount: 1 };
const plain = { kind: "challenge", stale: false };
const wrongPassword = { kind: "challenge", stale: false, isWrong: true };
const stale = { kind: "challenge", stale: true };

interface Answer {
  readonly nonce?: string;
  readonly username?: string;
  readonly password?: string;
  readonly nc?: string;
  readonly algorithm?: "MD5" | "SHA-256";
  readonly uri?: string;
  readonly qop?: string;
}

/** The credentials with which a phone answers a challenge, computed with node:crypto only. */
function answer(request: AuthRequest, node: Authenticator, change: Answer = {}): DigestCredentials {
  const {
    username = "bob",
    password = "secret",
    nc = "00000001",
    algorithm = "MD5",
    uri = request.uri,
    qop = "auth",
  } = change;
  const nonce = change.nonce ?? issueNonce(node.keys, request.callId, start);
  const h = (text: string): string =>
    createHash(algorithm === "MD5" ? "md5" : "sha256")
      .update(text)
      .digest("hex");
  const response = h(
    `${h(`${username}:example.com:${password}`)}:${nonce}:${nc}:cn:${qop}:${h(`${request.method}:${uri}`)}`,
  );
  const value = `Digest username="${username}", realm="example.com", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=${algorithm}, cnonce="cn", nc=${nc}, qop=${qop}`;
  const credentials = parseDigestCredentials(value);
  if (credentials === undefined || isProblem(credentials)) throw new Error("bad credentials");
  return credentials;
}

describe("authenticate", () => {
  it("§22: challenges a request without credentials, refuses malformed ones with 400, and returns the user of valid ones", () => {
    const node = nodeOf();
    expect(authenticate(undefined, undefined, register, node, start)).toEqual(plain);
    expect(authenticate(problem("credentials: uri twice"), undefined, register, node, start)).toEqual({
      kind: "refused",
      status: 400,
      reason: "credentials: uri twice",
    }); // prettier-ignore
    expect(authenticate(answer(register, node), bob, register, node, start + 1000)).toEqual(authenticated);
  });

  it("design-sip rule 16: accepts a nonce of another node with the same ring", () => {
    const credentials = answer(register, nodeOf());
    expect(authenticate(credentials, bob, register, nodeOf(), start)).toEqual(authenticated);
    expect(authenticate(credentials, bob, register, nodeOf(ringOf("b")), start)).toEqual(stale);
  });

  it("returns the same challenge for an unknown user, a user without a credential and a wrong password", () => {
    const node = nodeOf();
    expect(authenticate(answer(register, node), undefined, register, node, start)).toEqual(wrongPassword);
    expect(
      authenticate(answer(register, node), { username: "bob", realm: "example.com" }, register, node, start),
    ).toEqual(wrongPassword);
    expect(
      authenticate(answer(register, node), { ...bob, ha1: "", password: "" }, register, node, start),
    ).toEqual(wrongPassword);
    const emptyHa1 = createHash("md5")
      .update(
        `:${answer(register, node).nonce}:00000001:cn:auth:${createHash("md5").update("REGISTER:sip:example.com").digest("hex")}`,
      )
      .digest("hex");
    const crafted = { ...answer(register, node), response: emptyHa1 };
    expect(authenticate(crafted, { ...bob, ha1: "" }, register, node, start)).toEqual(wrongPassword);
    const noHa1 = answer(register, node, { password: "" });
    expect(authenticate(noHa1, { ...bob, ha1: "", password: "" }, register, node, start)).toEqual(
      wrongPassword,
    );
    expect(authenticate(answer(register, node, { password: "Secret" }), bob, register, node, start)).toEqual(
      wrongPassword,
    );
  });

  it("authenticates no unknown user with the dummy HA1, for either length", () => {
    for (const length of [64, 32]) {
      const node = nodeOf();
      const ha1 = node.dummyHa1.slice(0, length);
      const account = { username: "bob", realm: "example.com", ha1 };
      const credentials = answer(register, node);
      const response = createHash("md5")
        .update(
          `${ha1}:${credentials.nonce}:00000001:cn:auth:${createHash("md5").update("REGISTER:sip:example.com").digest("hex")}`,
        )
        .digest("hex");
      expect(authenticate({ ...credentials, response }, account, register, node, start)).toEqual(
        authenticated,
      );
      expect(authenticate({ ...credentials, response }, undefined, register, node, start)).toEqual(
        wrongPassword,
      );
    }
  });

  it("RFC 7616 §3.3: returns stale=true for an expired nonce or one of another Call-ID, and only with the right password", () => {
    const node = nodeOf();
    const expired = answer(register, node);
    expect(authenticate(expired, bob, register, node, start + lifetime)).toEqual(authenticated);
    expect(authenticate(expired, bob, register, node, start + lifetime + 1)).toEqual(stale);
    const other = answer(register, node, { nonce: issueNonce(node.keys, "call-2", start) });
    expect(authenticate(other, bob, register, node, start)).toEqual(stale);
    const wrong = answer(register, node, { nonce: issueNonce(node.keys, "call-2", start), password: "x" });
    expect(authenticate(wrong, bob, register, node, start)).toEqual(wrongPassword);
  });

  it("returns a plain challenge for a forged nonce with the right password", () => {
    const node = nodeOf();
    for (const nonce of ["x", "", `${start.toString(36)}.k-a.${"A".repeat(28)}`])
      expect(authenticate(answer(register, node, { nonce }), bob, register, node, start)).toEqual(plain);
  });

  it("RFC 7616 §3.4.5: requires a rising nc for each nonce and returns stale=true for a replay, also of a REGISTER", () => {
    const node = nodeOf();
    const first = answer(invite, node);
    expect(authenticate(first, bob, invite, node, start)).toEqual(authenticated);
    expect(authenticate(first, bob, invite, node, start)).toEqual(stale);
    expect(authenticate(answer(invite, node, { nc: "0000000A" }), bob, invite, node, start)).toMatchObject({
      nonceCount: 10,
    });
    expect(authenticate(answer(invite, node, { nc: "00000009" }), bob, invite, node, start)).toEqual(stale);
    const other = nodeOf();
    const again = answer(register, other);
    expect(authenticate(again, bob, register, other, start)).toEqual(authenticated);
    expect(authenticate(again, bob, register, other, start)).toEqual(stale);
    expect(authenticate(answer(register, node, { nc: "0" }), bob, register, node, start)).toEqual(stale);
  });

  it("does not use up a count for a wrong password", () => {
    const node = nodeOf();
    authenticate(answer(invite, node, { password: "x", nc: "000000ff" }), bob, invite, node, start);
    expect(authenticate(answer(invite, node), bob, invite, node, start)).toEqual(authenticated);
  });

  it("refuses a qop other than auth and a missing qop with 400", () => {
    const node = nodeOf();
    const reason = "credentials: expected qop=auth";
    const refused = { kind: "refused", status: 400, reason };
    expect(authenticate(answer(register, node, { qop: "auth-int" }), bob, register, node, start)).toEqual(
      refused,
    );
    for (const lack of [{ qop: undefined }, { nc: undefined }, { cnonce: undefined }])
      expect(authenticate({ ...answer(register, node), ...lack }, bob, register, node, start)).toEqual(
        refused,
      );
  });

  it("challenges empty or partial credentials without a nonce of ours (3GPP TS 24.229 §5.1.1.2, PJSIP)", () => {
    const node = nodeOf();
    for (const value of [
      "Digest x=y",
      'Digest username="bob"',
      'Digest username="bob", realm="example.com", nonce="", uri="sip:example.com", response=""',
      'Digest username="bob", realm="example.com", nonce="", uri="u", response="", qop=auth',
      'Digest username="bob", realm="example.com", nonce="made-up", uri="u", response="00", nc=1',
    ])
      expect(authenticate(parseDigestCredentials(value), bob, register, node, start), value).toEqual(plain);
  });

  it("needs, for the login name user@domain, its own HA1 or a plain password without any HA1", () => {
    const node = nodeOf();
    const login = "bob@example.com";
    const ha1b = hashPassword("MD5", login, "example.com", "secret");
    const authenticateAs = (account: DigestAccount, change: Answer = {}, request: AuthRequest = register) =>
      authenticate(answer(register, node, { username: login, ...change }), account, request, nodeOf(), start)
        .kind;
    const row = { username: "bob", realm: "example.com", password: "secret" };
    expect(authenticateAs({ ...bob, ha1b })).toBe("authenticated");
    expect(authenticateAs({ ...bob, ha1b }, { password: "x" })).toBe("challenge");
    expect(authenticateAs(row)).toBe("authenticated");
    expect(authenticateAs(bob)).toBe("challenge");
    expect(authenticateAs({ ...bob, password: "secret" })).toBe("challenge"); // an HA1 has precedence over a password
    const sha: AuthRequest = { ...register, algorithms: ["SHA-256"] };
    const ha1bSha256 = hashPassword("SHA-256", login, "example.com", "secret");
    expect(authenticateAs({ ...bob, ha1bSha256 }, { algorithm: "SHA-256" }, sha)).toBe("authenticated");
    expect(authenticateAs({ ...bob, ha1b }, { algorithm: "SHA-256" }, sha)).toBe("challenge");
    const plainName = authenticate(answer(register, node), { ...bob, ha1: ha1b }, register, nodeOf(), start);
    expect(plainName.kind).toBe("challenge");
  });

  it("§22.4: accepts a uri that is not the Request-URI, because earlier hops may rewrite the Request-URI and the digest covers the uri", () => {
    const node = nodeOf();
    const moved = answer(invite, node, { uri: "sip:192.0.2.7:5060" });
    expect(authenticate(moved, bob, invite, node, start)).toEqual(authenticated);
  });

  it("RFC 8760: accepts only offered algorithms, and needs a separate HA1 for SHA-256", () => {
    const node = nodeOf();
    const both: AuthRequest = { ...register, algorithms: ["SHA-256", "MD5"] };
    const sha = answer(register, node, { algorithm: "SHA-256" });
    const account = { ...bob, ha1Sha256: hashPassword("SHA-256", "bob", "example.com", "secret") };
    expect(authenticate(sha, account, both, node, start)).toEqual(authenticated);
    expect(authenticate(sha, account, register, node, start)).toEqual(plain);
    expect(authenticate(sha, bob, both, node, start)).toEqual(wrongPassword);
    expect(
      authenticate(answer(register, node), account, { ...register, algorithms: ["SHA-256"] }, node, start),
    ).toEqual(plain);
    expect(
      authenticate({ ...answer(register, node), algorithm: "MD5-sess" }, bob, both, node, start),
    ).toEqual(plain);
    expect(
      authenticate(
        { ...answer(register, node), algorithm: undefined },
        bob,
        { ...register, algorithms: [] },
        nodeOf(),
        start,
      ),
    ).toEqual(authenticated); // prettier-ignore
  });

  it("P9: accepts a row with a plain password and no HA1 for either algorithm, and prefers a stored HA1", () => {
    const node = nodeOf();
    const authenticateAs = (change: Answer, account: DigestAccount, request: AuthRequest) =>
      authenticate(answer(register, node, change), account, request, nodeOf(), start);
    const row = { username: "bob", realm: "example.com", password: "secret" };
    const both: AuthRequest = { ...register, algorithms: ["MD5", "SHA-256"] };
    for (const algorithm of ["MD5", "SHA-256"] as const)
      expect(authenticateAs({ algorithm }, row, both)).toEqual(authenticated);
    expect(authenticateAs({}, { ...row, ha1: "" }, register)).toEqual(authenticated);
    expect(authenticateAs({}, { ...bob, password: "other" }, register)).toEqual(authenticated);
  });

  it("hashes names in UTF-8 as bytes", () => {
    const node = nodeOf();
    const account = { username: "bjørn", realm: "example.com", password: "pässword" };
    const unencoded = answer(register, node, { username: "bjørn", password: "pässword" });
    const credentials = { ...unencoded, username: toWireText(unencoded.username) };
    expect(authenticate(credentials, account, register, node, start)).toMatchObject({
      kind: "authenticated",
      username: "bjørn",
    }); // prettier-ignore
  });
});

describe("a nonce", () => {
  const keys = ringOf("a");
  const check = (nonce: string, now = start, callId = "c"): string =>
    checkNonce(keys, nonce, callId, now, lifetime).kind;

  it("is fresh during its lifetime with its Call-ID and stale otherwise, and is not fresh after any change of a character", () => {
    const nonce = issueNonce(keys, "c", start);
    expect(checkNonce(keys, nonce, "c", start + 5, lifetime)).toEqual({ kind: "fresh", at: start });
    expect([
      check(nonce, start, "d"),
      check(nonce, start + lifetime + 1),
      check(nonce, start - lifetime - 1),
    ]).toEqual(["stale", "stale", "stale"]); // prettier-ignore
    expect(issueNonce(keys, "c", start + 1).slice(-16)).not.toBe(nonce.slice(-16));
    for (let i = 0; i < nonce.length; i++) {
      const other = nonce.slice(0, i) + (nonce[i] === "b" ? "c" : "b") + nonce.slice(i + 1);
      expect(check(other), other).not.toBe("fresh");
    }
    expect(check(`${(start + 1).toString(36)}${nonce.slice(nonce.indexOf("."))}`)).toBe("forged");
    expect(check(nonce.replace("k-a", "k-z"))).toBe("stale");
    expect(check("x".repeat(8000))).toBe("forged");
  });

  it("is fresh during a rotation until its old key is dropped, or from the time when its new key verifies", () => {
    const oldKey = {
      id: "old",
      key: Buffer.alloc(32, 1),
      verifyFrom: 0,
      signFrom: 0,
      dropAfter: start + 2000,
    };
    const newKey = {
      id: "new",
      key: Buffer.alloc(32, 2),
      verifyFrom: start,
      signFrom: start + 1000,
      dropAfter: Infinity,
    };
    const ring = deriveRing([oldKey, newKey], "nonce");
    const first = issueNonce(ring, "c", start + 500);
    const second = issueNonce(ring, "c", start + 1500);
    expect([first.split(".")[1], second.split(".")[1]]).toEqual(["old", "new"]);
    const kindAt = (nonce: string, now: number): string => checkNonce(ring, nonce, "c", now, lifetime).kind;
    expect([kindAt(first, start + 2000), kindAt(first, start + 2001)]).toEqual(["fresh", "stale"]);
    expect([kindAt(second, start - 1), kindAt(second, start)]).toEqual(["stale", "fresh"]);
    expect(() => issueNonce([], "c", start)).toThrow(RangeError);
  });
});

describe("a challenge", () => {
  it("RFC 8760 §2.4: has one value for each algorithm in order, MD5 by default, and escaped quotes in the realm", () => {
    expect(buildChallenges("example.com", [], "n", false)).toEqual([
      'Digest realm="example.com", nonce="n", algorithm=MD5, qop="auth"',
    ]);
    expect(buildChallenges('a"b\\', ["SHA-256", "MD5"], "n", true)).toEqual([
      'Digest realm="a\\"b\\\\", nonce="n", algorithm=SHA-256, qop="auth", stale=true',
      'Digest realm="a\\"b\\\\", nonce="n", algorithm=MD5, qop="auth", stale=true',
    ]);
    expect(buildChallenges("bjø", [], "n", false)[0]).toContain('realm="bj\u00c3\u00b8"');
  });
});

describe("NonceCounts", () => {
  it("has a maximum size and removes the least recently used nonce", () => {
    const counts = new NonceCounts(2);
    expect([
      counts.accept("a", 1),
      counts.accept("b", 1),
      counts.accept("a", 2),
      counts.accept("c", 1),
    ]).toEqual([true, true, true, true]); // prettier-ignore
    expect(counts.size).toBe(2);
    expect([counts.accept("a", 2), counts.accept("c", 1), counts.accept("b", 1)]).toEqual([
      false,
      false,
      true,
    ]);
    expect(counts.accept("d", 0)).toBe(false);
  });
});
