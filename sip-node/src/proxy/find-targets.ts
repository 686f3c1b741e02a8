/**
 * The look-ups that concern the destination: the called user (RFC 3261 §16.5), and the phone of a dialog (§12.2). `targets.ts` decides about
 * the results. All but `locateParty` reject with `StoreUnavailable` or `QueueFull` when the database does not answer.
 */
import { type Aor, isServed } from "../location/account.ts";
import { type Binding, isCurrent } from "../location/binding.ts";
import { contactKey } from "../location/contact-key.ts";
import { reject, type Rejection } from "../wire/rejection.ts";
import { contactOwner } from "./contact-owner.ts";
import type { Party } from "./packed-party.ts";
import type { ProxyDependencies } from "./routing.ts";
import {
  type NotServed,
  type Target,
  targetOf,
  targets,
  type TargetSet,
  type Unreachable,
} from "./targets.ts";

/** Whether a host is a served domain that is not disabled. */
export const isServedHere = async (host: string, deps: ProxyDependencies): Promise<boolean> =>
  isServed((await deps.lookup.resolve({ username: "", domain: host })).domain);

/** The targets of the called user. Rejected with 404: no such user; with 480: the user has no phone. */
export async function findTargets(
  called: Aor,
  deps: ProxyDependencies,
): Promise<TargetSet | NotServed | Unreachable> {
  const [{ domain, account }, byName] = await Promise.all([
    deps.lookup.resolve(called),
    deps.lookup.bindings(called),
  ]);
  if (!isServed(domain)) return { kind: "not-served" };
  const unreachable = (rejection: Rejection): Unreachable => ({ kind: "unreachable", domain, rejection });
  if (account?.isEnabled !== true) return unreachable(reject(404, "Not Found"));
  const isAlias = account.username !== called.username || account.domain !== called.domain;
  const { bindings } = isAlias ? await deps.lookup.bindings(account) : byName;
  const found = targets(bindings);
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
  const asToken = targetOf(party);
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
