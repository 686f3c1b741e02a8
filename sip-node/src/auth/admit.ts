/** Authenticates a request (RFC 3261 §22): compares its credentials with accounts, and builds the challenge if they are not right. Pure. */
import { type DigestCredentials, findDigestCredentials } from "../wire/digest-credentials.ts";
import type { Request } from "../wire/message.ts";
import { isProblem, type ParseProblem } from "../wire/problem.ts";
import { type FailedLogin, type Rejection, reject } from "../wire/rejection.ts";
import type { Epoch } from "../wire/units.ts";
import { authenticate, type Authenticator, type Decision, type DigestAccount } from "./authenticate.ts";
import { buildChallenges } from "./challenge.ts";
import type { DigestAlgorithm } from "./digest.ts";
import { issueNonce } from "./nonce.ts";
import { toWireText } from "../wire/wire-text.ts";

/** A registrar challenges with 401 and WWW-Authenticate, a proxy with 407 and Proxy-Authenticate (§22.2, §22.3). */
export type ChallengerRole = "registrar" | "proxy";

export interface Realm {
  readonly realm: string;
  readonly algorithms: readonly DigestAlgorithm[];
}

export type Admission<A extends DigestAccount = DigestAccount> = Admitted<A> | Rejection;

/** An enabled account, and a user name with which it logs in, as credentials write it. */
export interface Login<A extends DigestAccount> {
  readonly name: string;
  readonly account: A;
}

export interface Admitted<A extends DigestAccount = DigestAccount> {
  readonly kind: "admitted";
  /** The account whose password the credentials prove. */
  readonly account: A;
  readonly nonce: { readonly at: Epoch; readonly count: number };
}

/**
 * Of several credentials for the realm, the first right one counts. `logins` has the accounts of their user names; a name without an account
 * is an unknown user. The caller decides whether the account is authorized.
 */
export function admit<A extends DigestAccount>(
  request: Request,
  role: ChallengerRole,
  { realm, algorithms }: Realm,
  logins: readonly Login<A>[],
  authenticator: Authenticator,
  now: Epoch,
): Admission<A> {
  const header = role === "registrar" ? "authorization" : "proxy-authorization";
  const found = findDigestCredentials(request, header, toWireText(realm));
  const facts = { method: request.method, callId: request.callId, algorithms };
  const decisions: Decision[] = [];
  let failedLogin: FailedLogin | undefined;
  for (const credentials of isProblem(found) ? [found] : found) {
    const account = accountOf(credentials, logins);
    const decision = authenticate(credentials, account, facts, authenticator, now);
    if (decision.kind === "authenticated" && account !== undefined)
      return { kind: "admitted", account, nonce: { at: decision.nonceAt, count: decision.nonceCount } };
    decisions.push(decision);
    if (decision.kind === "challenge" && decision.isWrong === true && !isProblem(credentials))
      failedLogin = { user: credentials.username, response: credentials.response };
  }
  const [first] = decisions;
  if (first?.kind === "refused" && decisions.every(({ kind }) => kind === "refused"))
    return reject(first.status, first.reason);
  const isStale = decisions.some((decision) => decision.kind === "challenge" && decision.stale);
  const rejection = challenge(request, role, { realm, algorithms }, authenticator, now, isStale);
  return failedLogin === undefined ? rejection : { ...rejection, failedLogin };
}

const accountOf = <A extends DigestAccount>(
  credentials: DigestCredentials | ParseProblem,
  logins: readonly Login<A>[],
): A | undefined =>
  isProblem(credentials) ? undefined : logins.find(({ name }) => name === credentials.username)?.account;

/** A 401 or 407 with a fresh nonce for this call. */
export function challenge(
  request: Request,
  role: ChallengerRole,
  { realm, algorithms }: Realm,
  authenticator: Authenticator,
  now: Epoch,
  isStale: boolean,
): Rejection {
  const nonce = issueNonce(authenticator.keys, request.callId, now);
  const name = role === "registrar" ? "WWW-Authenticate" : "Proxy-Authenticate";
  const lines = buildChallenges(realm, algorithms, nonce, isStale).map((value) => `${name}: ${value}\r\n`);
  return role === "registrar"
    ? reject(401, "Unauthorized", lines.join(""))
    : reject(407, "Proxy Authentication Required", lines.join(""));
}
