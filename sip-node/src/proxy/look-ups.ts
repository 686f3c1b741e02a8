/**
 * What the proxy asks the location: who calls (RFC 3261 §16.3 step 6), who is called (§16.5), where the phone of a dialog is (§12.2).
 * `proxy.ts` and this file are the two of the proxy that await: `proxy.ts` has the order of the steps, this file the look-ups of one step,
 * where the second look-up depends on the answer to the first. What is decided about the answers is in the pure files. All but
 * `presentParty` reject with `StoreUnavailable` or `QueueFull` when the database cannot say.
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
import { type NotServed, type Nowhere, type Target, targets, type TargetSet } from "./targets.ts";

/** Whether a host is a domain of ours that is not disabled. */
export const isServedHere = async (host: string, deps: ProxyDependencies): Promise<boolean> =>
  isServed((await deps.lookup.resolve({ username: "", domain: host })).domain);

/** Who From names; where that is nobody of a domain of ours, the domain whose password the caller is asked for. */
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

/** One round trip, whoever exists. */
async function readLogins(request: Request, name: Aor, { lookup }: ProxyDependencies): Promise<NamedCaller> {
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
async function homeOf(
  request: Request,
  isHidden: boolean,
  calledDomain: string,
  { lookup }: ProxyDependencies,
): Promise<NamedCaller> {
  const names = isHidden ? possibleHomes(request, calledDomain) : [calledDomain];
  const homes = await Promise.all(names.map((domain) => lookup.resolve({ username: "", domain })));
  const domain = chooseHome(request, homes)?.domain;
  if (domain === undefined) return nobody;
  const logins = await findLogins(request, "proxy-authorization", domain.name, lookup);
  return { domain, account: undefined, logins };
}

const nobody: NamedCaller = { domain: undefined, account: undefined, logins: [] };

/** Whether a name stands for this user; aliases are followed. */
export async function isSameUser(name: Aor, aor: Aor | undefined, deps: ProxyDependencies): Promise<boolean> {
  if (aor === undefined) return false;
  return isSameAor(aor, (await deps.lookup.resolve(name)).account);
}

/** The bindings of a user by the name that was asked for; undefined: nothing was asked. */
export interface NamedBindings {
  readonly name: Aor | undefined;
  readonly bindings: readonly Binding[];
}

/** The bindings of the user that From names, in the same statement as the called one's; none where no dialog begins. */
export async function bindingsOfFrom(request: Request, deps: ProxyDependencies): Promise<NamedBindings> {
  const from = mayCreateDialog(request) ? parseUri(request.from.uri) : undefined;
  const name = from === undefined || isProblem(from) ? undefined : aorOf(from);
  return { name, bindings: name === undefined ? [] : await deps.lookup.bindings(name) };
}

/** From may be an alias of the caller: then they are read by its own name. */
export async function ownBindings(
  aor: Aor,
  asked: NamedBindings | undefined,
  deps: ProxyDependencies,
): Promise<readonly Binding[]> {
  if (asked?.name === undefined) return [];
  const isAlias = asked.name.username !== aor.username || asked.name.domain !== aor.domain;
  return isAlias ? deps.lookup.bindings(aor) : asked.bindings;
}

/** 404 for a domain or user that is not here, 480 for a user without a phone. */
export async function findTargets(
  called: Aor,
  deps: ProxyDependencies,
): Promise<TargetSet | NotServed | Nowhere> {
  const [{ domain, account }, bindings] = await Promise.all([
    deps.lookup.resolve(called),
    deps.lookup.bindings(called),
  ]);
  if (!isServed(domain)) return { kind: "not-served" };
  const nowhere = (rejection: Rejection): Nowhere => ({ kind: "nowhere", domain, rejection });
  if (account?.isEnabled !== true) return nowhere(reject(404, "Not Found"));
  const isAlias = account.username !== called.username || account.domain !== called.domain;
  const found = targets(isAlias ? await deps.lookup.bindings(account) : bindings);
  return found.length > 0
    ? { kind: "targets", domain, targets: found }
    : nowhere(reject(480, "Temporarily Unavailable"));
}

/** A Request-URI that is a phone's own contact leads to that phone's flow (ADR 30), and one that is nobody's leads nowhere. */
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
 * Where the phone of a token is now. It is asked for in the database where the Request-URI is not the contact that the dialog began with,
 * or nobody hears the token's flow any more: the phone may have refreshed its target (ADR 31), or registered from another flow (ADR 6).
 */
export async function presentParty(
  party: Party,
  key: string,
  sideId: string,
  deps: ProxyDependencies,
): Promise<Target> {
  const isHeard = deps.isReachable(party.flow);
  const asToken: Target = { ...party, uri: undefined, q: 1000 };
  if (isHeard && key === party.contactKey) return asToken;
  const refreshed = await deps.lookup.dialogTarget(sideId).catch(() => undefined);
  const asRefreshed = refreshed?.contactKey === key ? { ...asToken, ...place(refreshed) } : undefined;
  if (asRefreshed !== undefined && deps.isReachable(asRefreshed.flow)) return asRefreshed;
  if (isHeard && asRefreshed === undefined) return asToken;
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
