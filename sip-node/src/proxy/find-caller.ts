/**
 * The look-ups that concern the caller (RFC 3261 §16.3 step 6). `authorize.ts` decides about the results. All reject with `StoreUnavailable`
 * or `QueueFull` when the database does not answer.
 */
import { type Aor, isSameAor, isServed } from "../location/account.ts";
import type { Binding } from "../location/binding.ts";
import { findLogins, loginNames, loginsOf } from "../location/logins.ts";
import { aorOf } from "../location/row-text.ts";
import { digestLogins } from "../wire/digest-credentials.ts";
import type { Request } from "../wire/message.ts";
import { isProblem } from "../wire/problem.ts";
import { parseUri } from "../wire/uri.ts";
import { chooseHome, isAnonymous, possibleHomes } from "./anonymous.ts";
import type { Caller } from "./authorize.ts";
import { mayCreateDialog } from "./request-copy.ts";
import type { ProxyDependencies } from "./routing.ts";

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
  const isAttempt = digestLogins(request, "proxy-authorization").length > 0;
  const [resolution, others] = await Promise.all([
    isAttempt ? lookup.resolve(name) : lookup.resolveUnproven(name),
    findLogins(request, "proxy-authorization", name.domain, lookup, name),
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

/** Whether a wrong password was compared with users that have changed meanwhile: then the caller is looked up again. */
export async function hasOutdatedLogin(
  request: Request,
  { name, domain }: Caller,
  { lookup }: ProxyDependencies,
): Promise<boolean> {
  const logins = loginNames(request, "proxy-authorization", name?.domain ?? "");
  const ofHome = loginNames(request, "proxy-authorization", domain?.name ?? "");
  return lookup.refresh([...(name === undefined ? [] : [name]), ...logins, ...ofHome]);
}

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
  return { name, bindings: name === undefined ? [] : (await deps.lookup.bindings(name)).bindings };
}

/** The caller's bindings. If From is an alias of the caller, they are read by the caller's name. */
export async function ownBindings(
  aor: Aor,
  asked: NamedBindings | undefined,
  deps: ProxyDependencies,
): Promise<readonly Binding[]> {
  if (asked?.name === undefined) return [];
  const isAlias = asked.name.username !== aor.username || asked.name.domain !== aor.domain;
  return isAlias ? (await deps.lookup.bindings(aor)).bindings : asked.bindings;
}
