/**
 * Where a request goes (RFC 3261 §16.3 to §16.5): step by step from validation to its targets. It awaits what `look-ups.ts` asks the
 * location; every other file of the proxy is pure. What becomes of the branches is `response-context`'s.
 */
import type { Aor } from "../location/account.ts";
import { contactKey } from "../location/contact-key.ts";
import { aorOf } from "../location/row-text.ts";
import { findField } from "../wire/fields.ts";
import type { Flow } from "../wire/flow.ts";
import { maxRouteHosts } from "../wire/limits.ts";
import type { Request } from "../wire/message.ts";
import type { SipUri } from "../wire/uri.ts";
import { isOwnAddress } from "./addresses.ts";
import { admitPeer, authorize } from "./authorize.ts";
import { callerParty } from "./caller-party.ts";
import { refreshedTarget, remoteSide } from "./dialog-target.ts";
import {
  bindingsOfFrom,
  findByContact,
  findCaller,
  findTargets,
  isSameUser,
  isServedHere,
  ownBindings,
  presentParty,
} from "./look-ups.ts";
import { allow, isForStateAgent, refuseForStateAgent } from "./methods.ts";
import { ownCredentials } from "./own-credentials.ts";
import { type DialogParties, type Path, preprocess } from "./preprocess.ts";
import { rejectUnservedDomain, type Rejection, reject, markUnauthenticated } from "../wire/rejection.ts";
import type { ProxyDependencies, Routing } from "./routing.ts";
import { validate, type ValidRequest } from "./validate.ts";

/** Rejects with `StoreUnavailable` or `QueueFull` when the database cannot say: 500 with Retry-After. */
export async function route(
  request: Request,
  source: Flow,
  deps: ProxyDependencies,
): Promise<Routing | Rejection> {
  // §16.3 Validation
  const valid = validate(request, deps.addresses);
  if (valid.kind === "reject") return markUnauthenticated(valid);
  const { maxForwards, loop } = valid;
  // §16.4 Preprocessing
  const path = await pathOf(request, deps);
  if (path.kind === "reject") return markUnauthenticated(path);
  if (path.dialog !== undefined) {
    await keepTarget(request, source, path.dialog, deps);
    return within(request, path, path.dialog, valid, deps);
  }
  // §16.3 step 6: credentials, of every request out of dialog (design-sip rule 15)
  const called = nameOf(valid.uri);
  const mayEnter = mayBeAdmitted(request, source, deps);
  const asked = mayEnter ? findTargets(called, deps) : undefined;
  const askedOwn = mayEnter && !deps.isPeer(source) ? bindingsOfFrom(request, deps) : undefined;
  for (const answer of [asked, askedOwn]) answer?.catch(() => {}); // awaited below, unless the caller is refused first
  const admission = deps.isPeer(source)
    ? admitPeer(request)
    : authorize(
        request,
        await findCaller(request, called.domain, deps),
        called.domain,
        deps.authenticator,
        deps.now(),
      );
  if (admission.kind === "reject") return admission;
  if (isForStateAgent(request) && (await isSameUser(called, admission.aor, deps)))
    return refuseForStateAgent(request);
  // §16.5 Targets
  const byName = await (asked ?? findTargets(called, deps));
  const found = byName.kind === "not-served" ? await findByContact(request.uri, admission.aor, deps) : byName;
  if (found.kind === "not-served") return rejectUnservedDomain(called.domain);
  if (admission.isAnonymous && found.domain.anonymousCallers === "Reject")
    return reject(433, "Anonymity Disallowed");
  if (found.kind === "nowhere") return found.rejection;
  const own = admission.aor === undefined ? [] : await ownBindings(admission.aor, await askedOwn, deps);
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

/** An ACK to a 2xx goes by its token, without a transaction and unchallenged; undefined when it has none: dropped. */
export async function routeAck(request: Request, deps: ProxyDependencies): Promise<Routing | undefined> {
  const valid = validate(request, deps.addresses);
  if (valid.kind === "reject") return undefined;
  const first = preprocess(request, deps.addresses, deps.tokenSeal);
  if (first.kind === "is-served" && !first.isInDialog) return undefined; // no look-up for what is dropped all the same
  const path = first.kind === "is-served" ? await pathOf(request, deps) : first;
  if (path.kind === "reject" || path.dialog === undefined) return undefined;
  return within(request, path, path.dialog, valid, deps);
}

/** A request in a dialog, to the other phone. */
async function within(
  request: Request,
  { uri, edits }: Path,
  { peer }: DialogParties,
  { maxForwards, loop }: ValidRequest,
  deps: ProxyDependencies,
): Promise<Routing> {
  const target = await presentParty(peer, contactKey(uri), remoteSide(request), deps);
  const allEdits = [...edits, ...ownCredentials(request, undefined, deps.authenticator, deps.now())];
  const targets = [target];
  return {
    kind: "forward",
    targets,
    edits: allEdits,
    maxForwards,
    loop,
    caller: undefined,
    proven: undefined,
  };
}

/** Keeps where the sender is now, before the other phone can answer to it. While the database is away the dialog goes on without. */
async function keepTarget(
  request: Request,
  source: Flow,
  { sender }: DialogParties,
  deps: ProxyDependencies,
): Promise<void> {
  const target = refreshedTarget(request, source, sender, deps.node);
  if (target !== undefined) await deps.lookup.storeDialogTarget(target).catch(() => {});
}

/** OPTIONS to the exchange itself, which anybody may ask (RFC 3261 §11.2); undefined: it is for a user or in a dialog. */
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
 * §16.4. Only a Route that is neither a token of this dialog nor an address of ours costs a look-up: is its host a domain of ours? They are
 * asked one after the other, so that their number is bounded. While the database cannot say, a request that a token behind it leads on goes
 * on all the same.
 */
async function pathOf(request: Request, deps: ProxyDependencies): Promise<Path | Rejection> {
  const served = new Map<string, boolean>();
  let path = preprocess(request, deps.addresses, deps.tokenSeal, served);
  while (path.kind === "is-served") {
    const { host, isInDialog } = path;
    if (served.size === maxRouteHosts)
      return reject(403, `More than ${maxRouteHosts} Route hosts to be looked up`);
    const isHere = isServedHere(host, deps);
    served.set(host, await (isInDialog ? isHere.catch(() => true) : isHere));
    path = preprocess(request, deps.addresses, deps.tokenSeal, served);
  }
  return path;
}

const nameOf = (uri: SipUri): Aor => aorOf(uri) ?? { username: "", domain: uri.host };

/** Whoever brings credentials will most likely be let in: both parties are looked up in one round trip. Others cost one look-up. */
const mayBeAdmitted = (request: Request, source: Flow, deps: ProxyDependencies): boolean =>
  deps.isPeer(source) || findField(request.fields, "proxy-authorization") !== undefined;
