/**
 * Whether a caller may call (RFC 3261 §16.3 step 6, §22.3; design-sip rule 15): checks its domain, its credentials, then its From. Pure;
 * `find-caller.ts` reads the user in From.
 */
import { admit } from "../auth/admit.ts";
import type { Authenticator } from "../auth/authenticate.ts";
import { type Aor, isSameAor, isServed, type Resolution } from "../location/account.ts";
import type { KnownLogin } from "../location/logins.ts";
import type { Edit } from "../wire/edits.ts";
import type { Request } from "../wire/message.ts";
import { isProblem } from "../wire/problem.ts";
import type { Epoch } from "../wire/units.ts";
import { parseUri } from "../wire/uri.ts";
import { isAnonymous, withholdsIdentity } from "./anonymous.ts";
import { ownCredentials } from "./own-credentials.ts";
import { rejectUnservedDomain, type Rejection, reject, markUnauthenticated } from "../wire/rejection.ts";

/** The sender that a request claims, with its rows. `domain` is the one that authenticates it. */
export interface Caller extends Resolution {
  /** The user that From names; undefined: none. */
  readonly name: Aor | undefined;
  /** Whether From is anonymous (RFC 3323 §4.1). */
  readonly isHidden: boolean;
  /** The accounts that may log in: the one in From, and every one that the credentials name. */
  readonly logins: readonly KnownLogin[];
}

export interface Authorized {
  readonly kind: "authorized";
  /** The authenticated caller; undefined for a peer. */
  readonly aor: Aor | undefined;
  /** The caller withholds its identity from the called user (RFC 5079 §3). */
  readonly isAnonymous: boolean;
  /** Remove the credentials for this exchange (§22.3). */
  readonly edits: readonly Edit[];
}

/** A peer is not challenged, its From is not looked up, and its credentials are forwarded. */
export function admitPeer(request: Request): Authorized {
  const from = parseUri(request.from.uri);
  const isHidden = !isProblem(from) && isAnonymous(from);
  return {
    kind: "authorized",
    aor: undefined,
    isAnonymous: isHidden || withholdsIdentity(request),
    edits: [],
  };
}

/**
 * The caller is the user whose credentials are right (ADR 26). From must be that user, an alias of it, or anonymous (RFC 3323 §4.1); any other
 * From is refused with a final 403, as for REGISTER. 407: credentials are missing or wrong. 404: neither From's domain nor the called one is served.
 */
export function authorize(
  request: Request,
  { name, isHidden, domain, account, logins }: Caller,
  calledDomain: string,
  authenticator: Authenticator,
  now: Epoch,
): Authorized | Rejection {
  if (!isServed(domain)) return markUnauthenticated(rejectUnservedDomain(name?.domain ?? calledDomain));
  const admission = admit(request, "proxy", domain, logins, authenticator, now);
  if (admission.kind === "reject") return markUnauthenticated(admission);
  const caller = admission.account;
  const isAnonymousCaller = isHidden && account === undefined;
  if (!isSameAor(caller, account) && !isAnonymousCaller)
    return reject(403, "From is not the user that logged in, nor an alias of it");
  return {
    kind: "authorized",
    aor: caller,
    isAnonymous: isAnonymousCaller || withholdsIdentity(request),
    edits: ownCredentials(request, domain.realm, authenticator, now),
  };
}
