/**
 * Checks one set of credentials (RFC 3261 §22; RFC 7616; design-sip rules 15 and 16).
 *
 * The credentials of an unknown user are compared with an HA1 that no password has. This takes the same time and gives the same challenge as
 * a wrong password. `stale=true` is sent only if the password is right (RFC 2617 §3.2.1), so that after a wrong one the phone asks its user.
 */
import type { DigestCredentials } from "../wire/digest-credentials.ts";
import { isProblem, type ParseProblem } from "../wire/problem.ts";
import type { Epoch, Ms } from "../wire/units.ts";
import { defaultAlgorithms } from "./challenge.ts";
import { algorithmOf, type DigestAlgorithm, hashPassword, isResponseRight } from "./digest.ts";
import type { DerivedRing } from "./key-ring.ts";
import { checkNonce } from "./nonce.ts";
import type { NonceCounts } from "./nonce-counts.ts";
import { toWireText } from "../wire/wire-text.ts";

/** The secrets of an account. HA1s are hexadecimal digits; empty text counts as absent. */
export interface DigestAccount {
  readonly username: string;
  readonly realm: string;
  /** H(username:realm:password) by MD5. */
  readonly ha1?: string | undefined;
  /** The same by SHA-256. */
  readonly ha1Sha256?: string | undefined;
  /** H(username@domain:realm:password) by MD5, for phones that log in with their address. */
  readonly ha1b?: string | undefined;
  readonly ha1bSha256?: string | undefined;
  /** The plain password of a row that another tool wrote. It is used only if the row has no HA1 of the algorithm. */
  readonly password?: string | undefined;
}

export interface RequestFacts {
  readonly method: string;
  readonly callId: string;
  /** The algorithms that the domain offers; empty means MD5. */
  readonly algorithms: readonly DigestAlgorithm[];
}

export interface Authenticator {
  /** The ring's keys, derived for nonces. */
  readonly keys: DerivedRing;
  readonly nonceLifetime: Ms;
  readonly nonceCounts: NonceCounts;
  /** An HA1 that no password has: 64 random hexadecimal digits of this process. */
  readonly dummyHa1: string;
}

/**
 * `authenticated`: all nodes order the REGISTERs of one Call-ID by `nonceAt` and `nonceCount`, which `strowger_flow` stores; this node has
 * compared the count with the last one that it accepted. `challenge`: answer 401 or 407 with new nonces. `refused`: answer `status` with the
 * reason, which contains no secret.
 */
export type Decision =
  | {
      readonly kind: "authenticated";
      readonly username: string;
      readonly nonceAt: Epoch;
      readonly nonceCount: number;
    }
  | {
      readonly kind: "challenge";
      readonly stale: boolean;
      /** The password was wrong, or there is no such user. Absent: none was tried, or the nonce was not ours. */
      readonly isWrong?: true;
    }
  | { readonly kind: "refused"; readonly status: 400; readonly reason: string };

/** `account`: the account of the credentials' username, with or without `@domain`; undefined if there is none or it is disabled. */
export function authenticate(
  credentials: DigestCredentials | ParseProblem | undefined,
  account: DigestAccount | undefined,
  request: RequestFacts,
  authenticator: Authenticator,
  now: Epoch,
): Decision {
  if (credentials === undefined) return challenge;
  if (isProblem(credentials)) return refuse(credentials.reason);
  const nonce = checkNonce(
    authenticator.keys,
    credentials.nonce,
    request.callId,
    now,
    authenticator.nonceLifetime,
  );
  // Incomplete credentials with a nonce of this cluster are refused: the phone would answer a new challenge in the same way.
  if (!isComplete(credentials))
    return nonce.kind === "forged" ? challenge : refuse("credentials: expected qop=auth");
  const algorithm = offered(credentials.algorithm, request.algorithms);
  if (algorithm === undefined) return challenge;

  const ha1 = account === undefined ? undefined : ha1Of(account, credentials.username, algorithm);
  const isRight = isResponseRight(
    algorithm,
    ha1 ?? dummyOf(algorithm, authenticator),
    request.method,
    credentials,
  );
  if (nonce.kind === "forged") return challenge;
  if (!isRight || account === undefined || ha1 === undefined) return wrongPassword;
  if (nonce.kind === "stale") return staleChallenge;
  const nonceCount = Number.parseInt(credentials.nc ?? "", 16);
  const isNewer = authenticator.nonceCounts.accept(credentials.nonce, nonceCount);
  if (!isNewer) return staleChallenge;
  return { kind: "authenticated", username: account.username, nonceAt: nonce.at, nonceCount };
}

/** RFC 7616 §3.4: `nc` and `cnonce` are required with `qop`. */
const isComplete = ({ qop, nc, cnonce }: DigestCredentials): boolean =>
  qop?.toLowerCase() === "auth" && nc !== undefined && cnonce !== undefined;

const challenge: Decision = { kind: "challenge", stale: false };
const staleChallenge: Decision = { kind: "challenge", stale: true };
const wrongPassword: Decision = { kind: "challenge", stale: false, isWrong: true };
const refuse = (reason: string): Decision => ({ kind: "refused", status: 400, reason });

function offered(
  name: string | undefined,
  algorithms: readonly DigestAlgorithm[],
): DigestAlgorithm | undefined {
  const algorithm = algorithmOf(name);
  const choice = algorithms.length > 0 ? algorithms : defaultAlgorithms;
  return algorithm !== undefined && choice.includes(algorithm) ? algorithm : undefined;
}

/** As long as a real HA1, because the time depends on the number of hashed blocks. */
const dummyOf = (algorithm: DigestAlgorithm, { dummyHa1 }: Authenticator): string =>
  algorithm === "MD5" ? dummyHa1.slice(0, 32) : dummyHa1;

/**
 * The account's HA1 for this login name, which is its username or an address of it. Undefined if the account has neither that HA1 nor a
 * password: then this login name cannot be used.
 */
function ha1Of(account: DigestAccount, login: string, algorithm: DigestAlgorithm): string | undefined {
  const [plain, atDomain] =
    algorithm === "MD5" ? [account.ha1, account.ha1b] : [account.ha1Sha256, account.ha1bSha256];
  const stored = login === toWireText(account.username) ? plain : atDomain;
  if (isPresent(stored)) return stored;
  return isPresent(account.password) && !isPresent(plain)
    ? hashPassword(algorithm, login, account.realm, account.password)
    : undefined;
}

const isPresent = (text: string | undefined): text is string => text !== undefined && text !== "";
