/**
 * The look-ups of the proxy: the caller (RFC 3261 §16.3 step 6), the called user (§16.5), the phone of a dialog (§12.2). Only `proxy.ts` and this
 * file await: `proxy.ts` has the steps, this file the look-ups of one step that depend on each other. Pure files decide about the results. All
 * but `locateParty` reject with `StoreUnavailable` or `QueueFull` when the database does not answer.
 */
import { type Aor, isSameAor, isServed } from "../location/account.ts";
import { type Binding, isCurrent } from "../location/binding.ts";
import { contactKey } from "../location/contact-key.ts";
import { findLogins, loginsOf } from "../location/logins.ts";
import { aorOf } from "../location/row-text.ts";
import type { Request } from "../wire/message.ts";
import { isProblem } from "../wire/problem.ts";
import { parseUri } from "../wire/uri.ts";
import { chooseHome, isAnonymous, possibleHomes } from "./anonymous.ts";
import type { Caller } from "./authorize.ts";
import { contactOwner } from "./contact-owner.ts";
import type { Party } from "./flow-token.ts";
import { mayCreateDialog } from "./forward.ts";
import { type Rejection, reject } from "../wire/rejection.ts";
import type { ProxyDependencies } from "./routing.ts";
import { type NotServed, type Unreachable, type Target, targets, type TargetSet } from "./targets.ts";

/** Whether a host is a served domain that is not disabled. */
export const isServedHere = async (host: string, deps: ProxyDependencies): Promise<boolean> =>
  isServed((await deps.lookup.resolve({ username: "", domain: host })).domain);

/** The user that From names. If From names no served domain, the domain that authenticates the caller. */
export async function findCaller(
  request: Request,
  calledDomain: string,
  deps: ProxyDependencies,
): Promise<Caller> {
  const from = parseUri(request.from.uri);
  const name = isProblem(from) ? undefined : aorOf(from);
  const isHidden = !isProblem(from) && isAnonymous(from);
  const claimed = name === undefined ? undefined : await readLogins(request, name, deps);
  const found =
    claimed !== undefined && isServed(claimed.domain)
      ? claimed
      : await homeOf(request, isHidden, calledDomain, deps);
  return { name, isHidden, ...found };
}

type NamedCaller = Omit<Caller, "name" | "isHidden">;

/** One round trip, whether the users exist or not. */
async function readLogins(request: Request, name: Aor, { lookup }: ProxyDependencies): Promise<NamedCaller> {
  const [resolution, others] = await Promise.all([
    lookup.resolve(name),
    findLogins(request, "proxy-authorization", name.domain, lookup),
  ]);
  return { ...resolution, logins: [...loginsOf(resolution.account), ...others] };
}

/**
 * The domain that authenticates a caller whose From names no served domain: the called domain; an anonymous caller may belong to another one.
 * The domain is chosen before login names are looked up in it: every name in every possible domain would be hundreds of look-ups.
 */
async function homeOf(
  request: Request,
  isHidden: boolean,
  calledDomain: string,
  { lookup }: ProxyDependencies,
): Promise<NamedCaller> {
  const names = isHidden ? possibleHomes(request, calledDomain) : [calledDomain];
  const homes = await Promise.all(names.map((domain) => lookup.resolve({ username: "", domain })));
  const domain = chooseHome(request, homes)?.domain;
  if (domain === undefined) return unknownCaller;
  const logins = await findLogins(request, "proxy-authorization", domain.name, lookup);
  return { domain, account: undefined, logins };
}

const unknownCaller: NamedCaller = { domain: undefined, account: undefined, logins: [] };

/** Whether a name is this user or an alias of it. */
export async function isSameUser(name: Aor, aor: Aor | undefined, deps: ProxyDependencies): Promise<boolean> {
  if (aor === undefined) return false;
  return isSameAor(aor, (await deps.lookup.resolve(name)).account);
}

/** Bindings, with the name that was looked up; undefined: nothing was looked up. */
export interface NamedBindings {
  readonly name: Aor | undefined;
  readonly bindings: readonly Binding[];
}

/** The bindings of the user in From, read in the same statement as those of the called user; none if the request cannot create a dialog. */
export async function bindingsOfFrom(request: Request, deps: ProxyDependencies): Promise<NamedBindings> {
  const from = mayCreateDialog(request) ? parseUri(request.from.uri) : undefined;
  const name = from === undefined || isProblem(from) ? undefined : aorOf(from);
  return { name, bindings: name === undefined ? [] : await deps.lookup.bindings(name) };
}

/** The caller's bindings. If From is an alias of the caller, they are read by the caller's name. */
export async function ownBindings(
  aor: Aor,
  asked: NamedBindings | undefined,
  deps: ProxyDependencies,
): Promise<readonly Binding[]> {
  if (asked?.name === undefined) return [];
  const isAlias = asked.name.username !== aor.username || asked.name.domain !== aor.domain;
  return isAlias ? deps.lookup.bindings(aor) : asked.bindings;
}

/** The targets of the called user. Rejected with 404: no such user; with 480: the user has no phone. */
export async function findTargets(
  called: Aor,
  deps: ProxyDependencies,
): Promise<TargetSet | NotServed | Unreachable> {
  const [{ domain, account }, bindings] = await Promise.all([
    deps.lookup.resolve(called),
    deps.lookup.bindings(called),
  ]);
  if (!isServed(domain)) return { kind: "not-served" };
  const unreachable = (rejection: Rejection): Unreachable => ({ kind: "unreachable", domain, rejection });
  if (account?.isEnabled !== true) return unreachable(reject(404, "Not Found"));
  const isAlias = account.username !== called.username || account.domain !== called.domain;
  const found = targets(isAlias ? await deps.lookup.bindings(account) : bindings);
  return found.length > 0
    ? { kind: "targets", domain, targets: found }
    : unreachable(reject(480, "Temporarily Unavailable"));
}

/** The targets of a Request-URI that is a phone's contact (ADR 30). */
export async function findByContact(
  uri: string,
  caller: Aor | undefined,
  deps: ProxyDependencies,
): Promise<TargetSet | NotServed> {
  const owner = contactOwner(uri, await deps.lookup.bindingsByContact(contactKey(uri)), caller?.domain);
  if (owner === undefined) return { kind: "not-served" };
  const { domain, account } = await deps.lookup.resolve(owner.aor);
  if (!isServed(domain) || account?.isEnabled !== true) return { kind: "not-served" };
  const found = targets(owner.bindings);
  return found.length > 0 ? { kind: "targets", domain, targets: found } : { kind: "not-served" };
}

/**
 * The current target of a phone in a flow token. The database is read if the Request-URI is not the contact of the token, or if no node owns
 * the token's flow any more: the phone may have refreshed its target (ADR 31) or registered from another flow (ADR 6).
 */
export async function locateParty(
  party: Party,
  key: string,
  sideId: string,
  deps: ProxyDependencies,
): Promise<Target> {
  const isOwned = deps.isReachable(party.flow);
  const asToken: Target = { ...party, uri: undefined, q: 1000 };
  if (isOwned && key === party.contactKey) return asToken;
  const refreshed = await deps.lookup.dialogTarget(sideId).catch(() => undefined);
  const asRefreshed = refreshed?.contactKey === key ? { ...asToken, ...place(refreshed) } : undefined;
  if (asRefreshed !== undefined && deps.isReachable(asRefreshed.flow)) return asRefreshed;
  if (isOwned && asRefreshed === undefined) return asToken;
  const binding = party.contactId === "0" ? undefined : await bindingOf(party, deps);
  if (binding === undefined || !isCurrent(binding)) return asRefreshed ?? asToken;
  const asBinding = { ...asToken, ...place(binding) };
  return asRefreshed === undefined || deps.isReachable(asBinding.flow) ? asBinding : asRefreshed;
}

const place = ({ flow, isBehindNat, ownerNode }: Pick<Party, "flow" | "isBehindNat" | "ownerNode">) => ({
  flow,
  isBehindNat,
  ownerNode,
});

const bindingOf = (party: Party, deps: ProxyDependencies): Promise<Binding | undefined> =>
  deps.lookup.bindingById(party.contactId).catch(() => undefined);
