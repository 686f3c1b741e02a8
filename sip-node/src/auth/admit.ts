/** Who is let in (RFC 3261 §22): the credentials of a request held against an account, with the challenge to send where they fail. Pure. */
import { findDigestCredentials } from "../wire/digest-credentials.ts";
import type { Request } from "../wire/message.ts";
import { isProblem } from "../wire/problem.ts";
import type { Epoch } from "../wire/units.ts";
import { authenticate, type Authenticator, type DigestAccount } from "./authenticate.ts";
import { buildChallenges } from "./challenge.ts";
import type { DigestAlgorithm } from "./digest.ts";
import { issueNonce } from "./nonce.ts";
import { wireText } from "../wire/wire-text.ts";

/** A registrar asks with 401 and WWW-Authenticate, a proxy with 407 and Proxy-Authenticate (§22.2, §22.3). */
export type Asker = "registrar" | "proxy";

export interface Realm {
  readonly realm: string;
  readonly algorithms: readonly DigestAlgorithm[];
}

export type Admission = Admitted | Refusal;

export interface Admitted {
  readonly kind: "admitted";
  readonly username: string;
  readonly nonce: { readonly at: Epoch; readonly count: number };
}

/** `lines` are header lines, each with its CRLF. */
export interface Refusal {
  readonly kind: "reject";
  readonly status: number;
  readonly reason: string;
  readonly lines: string;
}

/** `account` is the one that the request claims to be; credentials of another user count as wrong. */
export function admit(
  request: Request,
  asker: Asker,
  { realm, algorithms }: Realm,
  account: DigestAccount | undefined,
  authenticator: Authenticator,
  now: Epoch,
): Admission {
  const header = asker === "registrar" ? "authorization" : "proxy-authorization";
  const credentials = findDigestCredentials(request, header, wireText(realm));
  const isOther =
    credentials !== undefined &&
    !isProblem(credentials) &&
    account !== undefined &&
    credentials.username !== wireText(account.username);
  const facts = { method: request.method, callId: request.callId, algorithms };
  const decision = authenticate(credentials, isOther ? undefined : account, facts, authenticator, now);
  switch (decision.kind) {
    case "authenticated":
      return {
        kind: "admitted",
        username: decision.username,
        nonce: { at: decision.nonceAt, count: decision.nonceCount },
      };
    case "refused":
      return { kind: "reject", status: decision.status, reason: decision.reason, lines: "" };
    case "challenge":
      return challenge(request, asker, { realm, algorithms }, authenticator, now, decision.stale);
  }
}

/** A 401 or 407 with a fresh nonce for this call. */
export function challenge(
  request: Request,
  asker: Asker,
  { realm, algorithms }: Realm,
  authenticator: Authenticator,
  now: Epoch,
  isStale: boolean,
): Refusal {
  const nonce = issueNonce(authenticator.keys, request.callId, now);
  const name = asker === "registrar" ? "WWW-Authenticate" : "Proxy-Authenticate";
  const lines = buildChallenges(realm, algorithms, nonce, isStale).map((value) => `${name}: ${value}\r\n`);
  return asker === "registrar"
    ? { kind: "reject", status: 401, reason: "Unauthorized", lines: lines.join("") }
    : { kind: "reject", status: 407, reason: "Proxy Authentication Required", lines: lines.join("") };
}
