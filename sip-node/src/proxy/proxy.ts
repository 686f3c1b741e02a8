/**
 * Where a request goes (RFC 3261 §16.3 to §16.5): step by step from validation to its targets. The one file of the proxy that awaits;
 * what becomes of the branches is `response-context`'s, which is pure.
 */
import { admit } from "../auth/admit.ts";
import type { Authenticator } from "../auth/authenticate.ts";
import { checkNonce } from "../auth/nonce.ts";
import { type Aor, type Domain, isSameAor, type Resolution } from "../location/account.ts";
import { contactKey } from "../location/contact-key.ts";
import { contactId } from "../location/contact-id.ts";
import { contactPlace, isSentDirectly } from "../location/contact-place.ts";
import { type Binding, isCurrent } from "../location/binding.ts";
import type { Lookup } from "../location/location.ts";
import { findLogins, type KnownLogin, loginsOf } from "../location/logins.ts";
import { aorOf } from "../location/row-text.ts";
import { parseContacts } from "../wire/contact.ts";
import { parseDigestCredentials } from "../wire/digest-credentials.ts";
import { type Edit, removeField } from "../wire/edits.ts";
import { findField } from "../wire/fields.ts";
import type { Flow } from "../wire/flow.ts";
import { maxRouteHosts } from "../wire/limits.ts";
import type { Field, Request } from "../wire/message.ts";
import { isProblem } from "../wire/problem.ts";
import type { Seal } from "../wire/seal.ts";
import type { Epoch } from "../wire/units.ts";
import { parseUri, type SipUri } from "../wire/uri.ts";
import { wireText } from "../wire/wire-text.ts";
import { type Addresses, isOwnAddress } from "./addresses.ts";
import { chooseHome, isAnonymous, possibleHomes, withholdsIdentity } from "./anonymous.ts";
import { callersBinding } from "./callers-binding.ts";
import { contactOwner } from "./contact-owner.ts";
import { refreshedTarget, remoteSide } from "./dialog-target.ts";
import type { Party } from "./flow-token.ts";
import { mayFoundDialog } from "./forward.ts";
import { allow, isForStateAgent, refuseForStateAgent } from "./methods.ts";
import { type DialogParties, type Path, preprocess } from "./preprocess.ts";
import { type Rejection, reject } from "./rejection.ts";
import { type Target, targets } from "./targets.ts";
import { validate, type ValidRequest } from "./validate.ts";

export interface ProxyHouse {
  readonly lookup: Lookup;
  readonly authenticator: Authenticator;
  readonly addresses: Addresses;
  /** Seals flow tokens. */
  readonly tokenSeal: Seal;
  readonly node: string;
  now(): Epoch;
  isPeer(flow: Flow): boolean;
  /** Whether a live node heard this flow. */
  isReachable(flow: Flow): boolean;
}

export interface Routing {
  readonly kind: "forward";
  /** At least one. */
  readonly targets: readonly Target[];
  readonly edits: readonly Edit[];
  readonly maxForwards: number | undefined;
  readonly loop: string;
  /** The caller as a flow token names it; undefined in a dialog, where the token exists. */
  readonly caller: Party | undefined;
  /** The caller whose password was right; undefined for a peer and in a dialog. */
  readonly proven: Aor | undefined;
}

/** Rejects with `StoreUnavailable` or `QueueFull` when the database cannot say: 500 with Retry-After. */
export async function route(request: Request, source: Flow, house: ProxyHouse): Promise<Routing | Rejection> {
  // §16.3 Validation
  const valid = validate(request, house.addresses);
  if (valid.kind === "reject") return toStranger(valid);
  const { maxForwards, loop } = valid;
  // §16.4 Preprocessing
  const path = await pathOf(request, house);
  if (path.kind === "reject") return toStranger(path);
  if (path.dialog !== undefined) {
    await keepTarget(request, source, path.dialog, house);
    return within(request, path, path.dialog, valid, house);
  }
  // §16.3 step 6: credentials, of every request out of dialog (design-sip rule 15)
  const called = nameOf(valid.uri);
  const mayEnter = mayBeAdmitted(request, source, house);
  const asked = mayEnter ? findTargets(called, house) : undefined;
  const askedOwn = mayEnter && !house.isPeer(source) ? bindingsOfFrom(request, house) : undefined;
  for (const answer of [asked, askedOwn]) answer?.catch(() => {}); // awaited below, unless the caller is refused first
  const admission = await authorize(request, source, called, house);
  if (admission.kind === "reject") return admission;
  if (isForStateAgent(request) && (await isSameUser(called, admission.aor, house)))
    return refuseForStateAgent(request);
  // §16.5 Targets
  const byName = await (asked ?? findTargets(called, house));
  const found =
    byName.kind === "not-served" ? await findByContact(request.uri, admission.aor, house) : byName;
  if (found.kind === "not-served") return notServed(called.domain);
  if (admission.isAnonymous && found.domain.anonymousCallers === "Reject")
    return reject(433, "Anonymity Disallowed");
  if (found.kind === "nowhere") return found.rejection;
  const own = admission.aor === undefined ? [] : await ownBindings(admission.aor, await askedOwn, house);
  const edits = [...path.edits, ...admission.edits];
  return {
    kind: "forward",
    targets: found.targets,
    edits,
    maxForwards,
    loop,
    caller: callerOf(request, source, admission.aor, own, house.node),
    proven: admission.aor,
  };
}

/** Refused before it was known who asks (§26.3.2.4). */
const toStranger = (rejection: Rejection): Rejection => ({ ...rejection, isToStranger: true });

/** An ACK to a 2xx goes by its token, without a transaction and unchallenged; undefined when it has none: dropped. */
export async function routeAck(request: Request, house: ProxyHouse): Promise<Routing | undefined> {
  const valid = validate(request, house.addresses);
  if (valid.kind === "reject") return undefined;
  const first = preprocess(request, house.addresses, house.tokenSeal);
  if (first.kind === "is-served" && !first.isInDialog) return undefined; // no look-up for what is dropped all the same
  const path = first.kind === "is-served" ? await pathOf(request, house) : first;
  if (path.kind === "reject" || path.dialog === undefined) return undefined;
  return within(request, path, path.dialog, valid, house);
}

/** A request in a dialog, to the other phone. */
async function within(
  request: Request,
  { uri, edits }: Path,
  { peer }: DialogParties,
  { maxForwards, loop }: ValidRequest,
  house: ProxyHouse,
): Promise<Routing> {
  const target = await presentParty(peer, contactKey(uri), remoteSide(request), house);
  const allEdits = [...edits, ...ownCredentials(request, undefined, house)];
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
  house: ProxyHouse,
): Promise<void> {
  const target = refreshedTarget(request, source, sender, house.node);
  if (target !== undefined) await house.lookup.keepDialogTarget(target).catch(() => {});
}

/** OPTIONS to the exchange itself, which anybody may ask (RFC 3261 §11.2); undefined: it is for a user or in a dialog. */
export async function answerOptions(request: Request, house: ProxyHouse): Promise<Rejection | undefined> {
  const valid = validate(request, house.addresses);
  if (valid.kind === "reject") return valid;
  const { uri } = valid;
  if (uri.user !== undefined || request.to.tag !== undefined) return undefined;
  const isOurs = isOwnAddress(house.addresses, uri.host, uri.port) || (await isServedHere(uri.host, house));
  if (!isOurs) return notServed(uri.host);
  return reject(200, "OK", `Accept: application/sdp\r\n${allow}Supported:\r\n`);
}

/**
 * §16.4. Only a Route that is neither a token of this dialog nor an address of ours costs a look-up: is its host a domain of ours? They are
 * asked one after the other, so that their number is bounded. While the database cannot say, a request that a token behind it leads on goes
 * on all the same.
 */
async function pathOf(request: Request, house: ProxyHouse): Promise<Path | Rejection> {
  const served = new Map<string, boolean>();
  let path = preprocess(request, house.addresses, house.tokenSeal, served);
  while (path.kind === "is-served") {
    const { host, isInDialog } = path;
    if (served.size === maxRouteHosts)
      return reject(403, `More than ${maxRouteHosts} Route hosts to be looked up`);
    const isHere = isServedHere(host, house);
    served.set(host, await (isInDialog ? isHere.catch(() => true) : isHere));
    path = preprocess(request, house.addresses, house.tokenSeal, served);
  }
  return path;
}

const isServedHere = async (host: string, house: ProxyHouse): Promise<boolean> =>
  isServed((await house.lookup.resolve({ username: "", domain: host })).domain);

/**
 * Where the phone of a token is now. It is asked for in the database where the Request-URI is not the contact that the dialog began with,
 * or nobody hears the token's flow any more: the phone may have refreshed its target (ADR 31), or registered from another flow (ADR 6).
 */
async function presentParty(party: Party, key: string, sideId: string, house: ProxyHouse): Promise<Target> {
  const isHeard = house.isReachable(party.flow);
  const asToken: Target = { ...party, uri: undefined };
  if (isHeard && key === party.contactKey) return asToken;
  const refreshed = await house.lookup.dialogTarget(sideId).catch(() => undefined);
  const asRefreshed = refreshed?.contactKey === key ? { ...asToken, ...place(refreshed) } : undefined;
  if (asRefreshed !== undefined && house.isReachable(asRefreshed.flow)) return asRefreshed;
  if (isHeard && asRefreshed === undefined) return asToken;
  const binding = party.contactId === "0" ? undefined : await bindingOf(party, house);
  if (binding === undefined || !isCurrent(binding)) return asRefreshed ?? asToken;
  const asBinding = { ...asToken, ...place(binding) };
  return asRefreshed === undefined || house.isReachable(asBinding.flow) ? asBinding : asRefreshed;
}

const place = ({ flow, isBehindNat, ownerNode }: Pick<Party, "flow" | "isBehindNat" | "ownerNode">) => ({
  flow,
  isBehindNat,
  ownerNode,
});

const bindingOf = (party: Party, house: ProxyHouse): Promise<Binding | undefined> =>
  house.lookup.bindingById(party.contactId).catch(() => undefined);

const nameOf = (uri: SipUri): Aor => aorOf(uri) ?? { username: "", domain: uri.host };

/** Whoever brings credentials will most likely be let in: both parties are looked up in one round trip. Others cost one look-up. */
const mayBeAdmitted = (request: Request, source: Flow, house: ProxyHouse): boolean =>
  house.isPeer(source) || findField(request.fields, "proxy-authorization") !== undefined;

interface NamedBindings {
  readonly name: Aor | undefined;
  readonly bindings: readonly Binding[];
}

/** The bindings of the user that From names, in the same statement as the called one's; none where no dialog begins. */
async function bindingsOfFrom(request: Request, house: ProxyHouse): Promise<NamedBindings> {
  const from = mayFoundDialog(request) ? parseUri(request.from.uri) : undefined;
  const name = from === undefined || isProblem(from) ? undefined : aorOf(from);
  return { name, bindings: name === undefined ? [] : await house.lookup.bindings(name) };
}

/** From may be an alias of the caller: then they are read by its own name. */
async function ownBindings(
  aor: Aor,
  asked: NamedBindings | undefined,
  house: ProxyHouse,
): Promise<readonly Binding[]> {
  if (asked?.name === undefined) return [];
  const isAlias = asked.name.username !== aor.username || asked.name.domain !== aor.domain;
  return isAlias ? house.lookup.bindings(aor) : asked.bindings;
}

interface Authorized {
  readonly kind: "authorized";
  /** Who calls; undefined for a peer. */
  readonly aor: Aor | undefined;
  /** It hides from the called user who it is (RFC 5079 §3). */
  readonly isAnonymous: boolean;
  /** Takes away the credentials that were meant for us (§22.3). */
  readonly edits: readonly Edit[];
}

/**
 * The caller is who the credentials prove. From must be that user or an alias of it, or anonymous (RFC 3323 §4.1); another user's From is a
 * final 403, as it is for REGISTER.
 */
async function authorize(
  request: Request,
  source: Flow,
  called: Aor,
  house: ProxyHouse,
): Promise<Authorized | Rejection> {
  const from = parseUri(request.from.uri);
  const isHidden = !isProblem(from) && isAnonymous(from);
  const withholds = withholdsIdentity(request);
  if (house.isPeer(source))
    return { kind: "authorized", aor: undefined, isAnonymous: isHidden || withholds, edits: [] };
  const named = isProblem(from) ? undefined : aorOf(from);
  const claimed = named === undefined ? undefined : await readCaller(request, named, house);
  const { domain, account, logins } =
    claimed !== undefined && isServed(claimed.domain)
      ? claimed
      : await homeOf(request, isHidden, called, house);
  if (!isServed(domain)) return toStranger(notServed(named?.domain ?? called.domain));
  const admission = admit(request, "proxy", domain, logins, house.authenticator, house.now());
  if (admission.kind === "reject") return toStranger(admission);
  const caller = admission.account;
  const isNobodys = isHidden && account === undefined;
  if (!isSameAor(caller, account) && !isNobodys)
    return reject(403, "From is not the user that logged in, nor an alias of it");
  return {
    kind: "authorized",
    aor: caller,
    isAnonymous: isNobodys || withholds,
    edits: ownCredentials(request, domain.realm, house),
  };
}

/** Whether a name stands for this user; aliases are followed. */
async function isSameUser(name: Aor, aor: Aor | undefined, house: ProxyHouse): Promise<boolean> {
  if (aor === undefined) return false;
  return isSameAor(aor, (await house.lookup.resolve(name)).account);
}

interface Caller extends Resolution {
  /** Who may log in: the account, and every account that the credentials name. */
  readonly logins: readonly KnownLogin[];
}

/** One round trip, whoever exists. */
async function readCaller(request: Request, name: Aor, { lookup }: ProxyHouse): Promise<Caller> {
  const [resolution, others] = await Promise.all([
    lookup.resolve(name),
    findLogins(request, "proxy-authorization", name.domain, lookup),
  ]);
  return { ...resolution, logins: [...loginsOf(resolution.account), ...others] };
}

/**
 * Whose password is asked for where From names no domain of ours: of the called domain; an anonymous caller may be of another one. The home
 * is chosen before the login names are looked up in it: every name in every possible home would let one datagram ask for hundreds.
 */
async function homeOf(request: Request, isHidden: boolean, called: Aor, house: ProxyHouse): Promise<Caller> {
  const { lookup } = house;
  const names = isHidden ? possibleHomes(request, called.domain) : [called.domain];
  const homes = await Promise.all(names.map((domain) => lookup.resolve({ username: "", domain })));
  const domain = chooseHome(request, homes)?.domain;
  if (domain === undefined) return nobody;
  const logins = await findLogins(request, "proxy-authorization", domain.name, lookup);
  return { domain, account: undefined, logins };
}

const nobody: Caller = { domain: undefined, account: undefined, logins: [] };
const isServed = (domain: Domain | undefined): domain is Domain => domain?.isEnabled === true;

/**
 * Takes away what was meant for us (§22.3): credentials of our realm, and any with a nonce of ours, which need no look-up to be known.
 * An ACK and most requests in a dialog repeat those of the INVITE (§22.1), and whoever is called could call others with them.
 */
function ownCredentials(request: Request, realm: string | undefined, house: ProxyHouse): Edit[] {
  const wireRealm = realm === undefined ? undefined : wireText(realm);
  return request.fields.filter((field) => isOwnCredential(request, field, wireRealm, house)).map(removeField);
}

function isOwnCredential(
  request: Request,
  { name, valueStart, valueEnd }: Field,
  realm: string | undefined,
  house: ProxyHouse,
): boolean {
  if (name !== "proxy-authorization") return false;
  const found = parseDigestCredentials(request.text.slice(valueStart, valueEnd));
  if (found === undefined || isProblem(found)) return false;
  if (found.realm === realm) return true;
  const { keys, nonceLifetime } = house.authenticator;
  return checkNonce(keys, found.nonce, request.callId, house.now(), nonceLifetime).kind !== "forged";
}

interface TargetSet {
  readonly kind: "targets";
  /** Of the called user. */
  readonly domain: Domain;
  readonly targets: readonly Target[];
}

/** The domain is served, and nobody can be reached. */
interface Nowhere {
  readonly kind: "nowhere";
  readonly domain: Domain;
  readonly rejection: Rejection;
}

/** The Request-URI's host is no domain of ours. */
interface NotServed {
  readonly kind: "not-served";
}

/** 404 for a domain or user that is not here, 480 for a user without a phone. */
async function findTargets(called: Aor, house: ProxyHouse): Promise<TargetSet | NotServed | Nowhere> {
  const [{ domain, account }, bindings] = await Promise.all([
    house.lookup.resolve(called),
    house.lookup.bindings(called),
  ]);
  if (!isServed(domain)) return { kind: "not-served" };
  const nowhere = (rejection: Rejection): Nowhere => ({ kind: "nowhere", domain, rejection });
  if (account?.isEnabled !== true) return nowhere(reject(404, "Not Found"));
  const isAlias = account.username !== called.username || account.domain !== called.domain;
  const found = targets(isAlias ? await house.lookup.bindings(account) : bindings);
  return found.length > 0
    ? { kind: "targets", domain, targets: found }
    : nowhere(reject(480, "Temporarily Unavailable"));
}

/** A Request-URI that is a phone's own contact leads to that phone's flow (ADR 30), and one that is nobody's leads nowhere. */
async function findByContact(
  uri: string,
  caller: Aor | undefined,
  house: ProxyHouse,
): Promise<TargetSet | NotServed> {
  const owner = contactOwner(uri, await house.lookup.bindingsByContact(contactKey(uri)), caller?.domain);
  if (owner === undefined) return { kind: "not-served" };
  const { domain, account } = await house.lookup.resolve(owner.aor);
  if (!isServed(domain) || account?.isEnabled !== true) return { kind: "not-served" };
  const found = targets(owner.bindings);
  return found.length > 0 ? { kind: "targets", domain, targets: found } : { kind: "not-served" };
}

const notServed = (domain: string): Rejection =>
  reject(
    404,
    "Domain Not Served",
    `Warning: 399 strowger "The domain ${wireText(domain)} is not served here"\r\n`,
  );

/** The caller as the callee's requests will need it: its flow, the key of its binding where it has one, and of its Contact. */
function callerOf(
  request: Request,
  source: Flow,
  aor: Aor | undefined,
  bindings: readonly Binding[],
  node: string,
): Party {
  const contacts = parseContacts(request);
  const contact = isProblem(contacts) || contacts.kind === "star" ? undefined : contacts.contacts[0];
  if (contact === undefined)
    return { flow: source, isBehindNat: true, ownerNode: node, contactId: "0", contactKey: "0" };
  const { flow, isBehindNat } = contactPlace(contact, source, isSentDirectly(request, source));
  const known = callersBinding(bindings, contact, flow)?.id;
  const id = known ?? (aor === undefined ? "0" : contactId(aor, contact, flow, isBehindNat));
  const ownerNode = flow.key === source.key ? node : "";
  return { flow, isBehindNat, ownerNode, contactId: id, contactKey: contactKey(contact.uri) };
}
