/**
 * Routes a request (RFC 3261 §16.3 to §16.5), step by step from validation to its targets. Only this file,
 * `find-caller.ts` and `find-targets.ts` await; every other file of the proxy is pure. `response-context.ts` decides about the responses of its branches.
 */
import type { Aor } from "../location/account.ts";
import { contactKey } from "../location/contact-key.ts";
import type { DialogTarget } from "../location/dialog-target.ts";
import { aorOf } from "../location/row-text.ts";
import { findField } from "../wire/fields.ts";
import type { Flow } from "../wire/flow.ts";
import { maxRouteHosts } from "../wire/limits.ts";
import type { Request } from "../wire/message.ts";
import type { SipUri } from "../wire/uri.ts";
import { isOwnAddress } from "./addresses.ts";
import { admitPeer, type Authorized, authorize, type Caller } from "./authorize.ts";
import { callerParty } from "./caller-party.ts";
import { refreshedTarget, remoteSide } from "./dialog-target.ts";
import { bindingsOfFrom, findCaller, hasOutdatedLogin, isSameUser, ownBindings } from "./find-caller.ts";
import { findByContact, findTargets, isServedHere, locateParty } from "./find-targets.ts";
import { allow, isForStateAgent, refuseForStateAgent } from "./allowed-methods.ts";
import { ownCredentials } from "./own-credentials.ts";
import { type DialogParties, type Path, preprocess } from "./preprocess.ts";
import { rejectUnservedDomain, type Rejection, reject, markUnauthenticated } from "../wire/rejection.ts";
import type { ProxyDependencies, Routing } from "./routing.ts";
import { type Target, targetOf } from "./targets.ts";
import { validate, type ValidRequest } from "./validate.ts";

/**
 * Rejects with `StoreUnavailable` or `QueueFull` when the database does not answer: 500 with Retry-After. No promise is made for a request
 * that needs no look-up, as most in a dialog.
 */
export function route(
  request: Request,
  source: Flow,
  deps: ProxyDependencies,
): Routing | Rejection | Promise<Routing | Rejection> {
  // §16.3 Validation
  const valid = validate(request, deps.addresses);
  if (valid.kind === "reject") return markUnauthenticated(valid);
  // §16.4 Preprocessing
  const path = preprocess(request, deps.addresses, deps.tokenSeal);
  return path.kind === "needs-domain"
    ? preprocessRoutes(request, deps).then((found) => routeAlong(request, source, found, valid, deps))
    : routeAlong(request, source, path, valid, deps);
}

function routeAlong(
  request: Request,
  source: Flow,
  path: Path | Rejection,
  valid: ValidRequest,
  deps: ProxyDependencies,
): Routing | Rejection | Promise<Routing | Rejection> {
  if (path.kind === "reject") return markUnauthenticated(path);
  const { dialog } = path;
  if (dialog === undefined) return routeOutOfDialog(request, source, path, valid, deps);
  const refreshed = refreshedTarget(request, source, dialog.sender, deps.node);
  return refreshed === undefined
    ? routeInDialog(request, path, dialog, valid, deps)
    : storeRefreshedTarget(refreshed, deps).then(() => routeInDialog(request, path, dialog, valid, deps));
}

async function routeOutOfDialog(
  request: Request,
  source: Flow,
  path: Path,
  valid: ValidRequest,
  deps: ProxyDependencies,
): Promise<Routing | Rejection> {
  const { maxForwards, loop } = valid;
  // §16.3 step 6: credentials, of every request out of dialog (design-sip rule 15)
  const called = nameOf(valid.uri);
  const isLikelyAuthorized = isLikelyToBeAuthorized(request, source, deps);
  const calledLookUp = isLikelyAuthorized ? findTargets(called, deps) : undefined;
  const callerLookUp = isLikelyAuthorized && !deps.isPeer(source) ? bindingsOfFrom(request, deps) : undefined;
  for (const answer of [calledLookUp, callerLookUp]) answer?.catch(() => {}); // awaited below, unless the caller is refused first
  const admission = deps.isPeer(source)
    ? admitPeer(request)
    : await authorizeCaller(request, called.domain, deps);
  if (admission.kind === "reject") return admission;
  if (isForStateAgent(request) && (await isSameUser(called, admission.aor, deps)))
    return refuseForStateAgent(request);
  // §16.5 Targets
  const byAor = await (calledLookUp ?? findTargets(called, deps));
  const found = byAor.kind === "not-served" ? await findByContact(request.uri, admission.aor, deps) : byAor;
  if (found.kind === "not-served") return rejectUnservedDomain(called.domain);
  if (admission.isAnonymous && found.domain.anonymousCallers === "Reject")
    return reject(433, "Anonymity Disallowed");
  if (found.kind === "unreachable") return found.rejection;
  const own = admission.aor === undefined ? [] : await ownBindings(admission.aor, await callerLookUp, deps);
  const edits = [...path.edits, ...admission.edits];
  return {
    kind: "forward",
    targets: found.targets,
    edits,
    maxForwards,
    loop,
    caller: callerParty(request, source, admission.aor, own, deps.node),
    proven: admission.aor,
  };
}

/** After a wrong password the caller is looked up again, if another tool has changed it. */
async function authorizeCaller(
  request: Request,
  calledDomain: string,
  deps: ProxyDependencies,
): Promise<Authorized | Rejection> {
  const decide = (caller: Caller) => authorize(request, caller, calledDomain, deps.authenticator, deps.now());
  const caller = await findCaller(request, calledDomain, deps);
  const admission = decide(caller);
  const isWrong = admission.kind === "reject" && admission.failedLogin !== undefined;
  if (!isWrong || !(await hasOutdatedLogin(request, caller, deps))) return admission;
  return decide(await findCaller(request, calledDomain, deps));
}

/** Routes an ACK to a 2xx by its flow token, without a challenge; undefined: it has no token and is dropped. */
export function routeAck(
  request: Request,
  deps: ProxyDependencies,
): Routing | undefined | Promise<Routing | undefined> {
  const valid = validate(request, deps.addresses);
  if (valid.kind === "reject") return undefined;
  const path = preprocess(request, deps.addresses, deps.tokenSeal);
  if (path.kind !== "needs-domain") return routeAckAlong(request, path, valid, deps);
  if (!path.isInDialog) return undefined; // it is dropped: no look-up
  return preprocessRoutes(request, deps).then((found) => routeAckAlong(request, found, valid, deps));
}

const routeAckAlong = (
  request: Request,
  path: Path | Rejection,
  valid: ValidRequest,
  deps: ProxyDependencies,
): Routing | undefined | Promise<Routing> =>
  path.kind === "reject" || path.dialog === undefined
    ? undefined
    : routeInDialog(request, path, path.dialog, valid, deps);

/** A request in a dialog, to the other phone. */
function routeInDialog(
  request: Request,
  path: Path,
  { peer }: DialogParties,
  valid: ValidRequest,
  deps: ProxyDependencies,
): Routing | Promise<Routing> {
  const key = contactKey(path.uri);
  if (key === peer.contactKey && deps.isReachable(peer.flow))
    return forwardInDialog(request, path, targetOf(peer), valid, deps);
  return locateParty(peer, key, remoteSide(request), deps).then((target) =>
    forwardInDialog(request, path, target, valid, deps),
  );
}

function forwardInDialog(
  request: Request,
  { edits }: Path,
  target: Target,
  { maxForwards, loop }: ValidRequest,
  deps: ProxyDependencies,
): Routing {
  const credentials = ownCredentials(request, undefined, deps.authenticator, deps.now());
  return {
    kind: "forward",
    targets: [target],
    edits: credentials.length === 0 ? edits : [...edits, ...credentials],
    maxForwards,
    loop,
    caller: undefined,
    proven: undefined,
  };
}

/** Stores the new target of the sender before the other phone can use it. If the database does not answer, the dialog goes on without it. */
const storeRefreshedTarget = (target: DialogTarget, { lookup }: ProxyDependencies): Promise<void> =>
  lookup.storeDialogTarget(target).catch(() => {});

/** The response to OPTIONS for this exchange (RFC 3261 §11.2), without a challenge; undefined: it is for a user or in a dialog. */
export async function answerOptions(
  request: Request,
  deps: ProxyDependencies,
): Promise<Rejection | undefined> {
  const valid = validate(request, deps.addresses);
  if (valid.kind === "reject") return valid;
  const { uri } = valid;
  if (uri.user !== undefined || request.to.tag !== undefined) return undefined;
  const isOurs = isOwnAddress(deps.addresses, uri.host, uri.port) || (await isServedHere(uri.host, deps));
  if (!isOurs) return rejectUnservedDomain(uri.host);
  return reject(200, "OK", `Accept: application/sdp\r\n${allow}Supported:\r\n`);
}

/**
 * §16.4. A look-up is needed only for a Route that has no flow token of this dialog and does not name our address: its host may be a served
 * domain. They are looked up one after the other, so that their number is limited. If the database does not answer and a later Route has a
 * flow token, the request is routed by that token.
 */
async function preprocessRoutes(request: Request, deps: ProxyDependencies): Promise<Path | Rejection> {
  const served = new Map<string, boolean>();
  let path = preprocess(request, deps.addresses, deps.tokenSeal, served);
  while (path.kind === "needs-domain") {
    const { host, isInDialog } = path;
    if (served.size === maxRouteHosts)
      return reject(403, `More than ${maxRouteHosts} Route hosts to be looked up`);
    const lookUp = isServedHere(host, deps);
    served.set(host, await (isInDialog ? lookUp.catch(() => true) : lookUp));
    path = preprocess(request, deps.addresses, deps.tokenSeal, served);
  }
  return path;
}

const nameOf = (uri: SipUri): Aor => aorOf(uri) ?? { username: "", domain: uri.host };

/** A request with credentials will most likely be authorized: both parties are looked up in one round trip. Others cost one look-up. */
const isLikelyToBeAuthorized = (request: Request, source: Flow, deps: ProxyDependencies): boolean =>
  deps.isPeer(source) || findField(request.fields, "proxy-authorization") !== undefined;
