/**
 * Whether a caller may call (RFC 3261 §16.3 step 6, §22.3; design-sip rule 15): its domain, its credentials, then its From. Pure; who From
 * names is read by `look-ups.ts`.
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

/** Who a request says that it is from, as the database knows it. The domain is the one whose password is asked for. */
export interface Caller extends Resolution {
  /** The user that From names; undefined: none. */
  readonly name: Aor | undefined;
  /** Whether From is anonymous (RFC 3323 §4.1). */
  readonly isHidden: boolean;
  /** Who may log in: the account, and every account that the credentials name. */
  readonly logins: readonly KnownLogin[];
}

export interface Authorized {
  readonly kind: "authorized";
  /** Who calls; undefined for a peer. */
  readonly aor: Aor | undefined;
  /** It hides from the called user who it is (RFC 5079 §3). */
  readonly isAnonymous: boolean;
  /** Takes away the credentials that were meant for us (§22.3). */
  readonly edits: readonly Edit[];
}

/** A peer is not challenged, its From is not looked up, and its credentials are for others. */
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
 * The caller is who the credentials prove. From must be that user or an alias of it, or anonymous (RFC 3323 §4.1); another user's From is a
 * final 403, as it is for REGISTER. 407 asks for credentials; 404 where neither From's domain nor the called one is served.
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
  const isNobodys = isHidden && account === undefined;
  if (!isSameAor(caller, account) && !isNobodys)
    return reject(403, "From is not the user that logged in, nor an alias of it");
  return {
    kind: "authorized",
    aor: caller,
    isAnonymous: isNobodys || withholdsIdentity(request),
    edits: ownCredentials(request, domain.realm, authenticator, now),
  };
}
