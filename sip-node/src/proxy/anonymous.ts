/** Callers who hide their address in From (RFC 3323 §4.1), and the domain that authenticates them. Pure. */
import { type Domain, isServed } from "../location/account.ts";
import { digestLogins } from "../wire/digest-credentials.ts";
import { findField } from "../wire/fields.ts";
import type { Request } from "../wire/message.ts";
import { parseNameAddr } from "../wire/name-addr.ts";
import { isProblem } from "../wire/problem.ts";
import { parseUri, type SipUri } from "../wire/uri.ts";
import { toWireText } from "../wire/wire-text.ts";
import { asksForPrivacy } from "./identity.ts";

/** A host below `invalid`, as RFC 3323 requires, or the user part `anonymous` at any host, as many phones write it. */
export const isAnonymous = (from: SipUri): boolean =>
  /(^|\.)invalid$/.test(from.host) || from.user?.toLowerCase() === "anonymous";

/** Whether the display name or a Privacy header with `id` or `user` withholds the caller's identity (RFC 5079 §3). */
export const withholdsIdentity = (request: Request): boolean =>
  /^"?anonymous"?\s*</i.test(request.text.slice(request.from.start, request.from.end)) ||
  asksForPrivacy(request, identityPrivacy);

const identityPrivacy = /^\s*(id|user)\s*$/i;

/**
 * The domains that an anonymous caller may belong to: in lower case, without duplicates, the most likely first. First the domain of its
 * preferred identity (RFC 3325 §9.2), which proves nothing and only chooses the realm; then the called domain; then those in its credentials.
 */
export function possibleHomes(request: Request, calledDomain: string): readonly string[] {
  const preferred = preferredDomain(request);
  const logins = digestLogins(request, "proxy-authorization").flatMap(({ username, realm }) => [
    realm.toLowerCase(),
    ...(username.includes("@") ? [username.slice(username.lastIndexOf("@") + 1).toLowerCase()] : []),
  ]);
  return [...new Set([...(preferred === undefined ? [] : [preferred]), calledDomain, ...logins])];
}

/** The served domain that the credentials are for, otherwise the first served one; undefined: none is served. */
export function chooseHome<Home extends { readonly domain: Domain | undefined }>(
  request: Request,
  homes: readonly Home[],
): Home | undefined {
  const realms = new Set(digestLogins(request, "proxy-authorization").map(({ realm }) => realm));
  const served = homes.filter(({ domain }) => isServed(domain));
  return (
    served.find(({ domain }) => domain !== undefined && realms.has(toWireText(domain.realm))) ?? served[0]
  );
}

function preferredDomain({ text, fields }: Request): string | undefined {
  for (const name of ["p-preferred-identity", "p-asserted-identity", "remote-party-id"] as const) {
    const field = findField(fields, name);
    if (field === undefined) continue;
    const identity = parseNameAddr(text, field.valueStart, field.valueEnd, name);
    const uri = isProblem(identity) ? identity : parseUri(identity.uri);
    if (!isProblem(uri)) return uri.host;
  }
  return undefined;
}
