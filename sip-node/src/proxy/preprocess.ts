/**
 * Route information preprocessing (RFC 3261 §16.4, §16.12): removes our own Route values and finds the dialog of a flow token in them.
 *
 * A Route is our own if its user part is a valid flow token, with any host (design-sip rule 17), or if it names our address or a served
 * domain: phones with an outbound proxy send those (§16.4).
 */
import { type Edit, removeField, replaceRequestUri } from "../wire/edits.ts";
import { maxUriBytes } from "../wire/limits.ts";
import { parseList } from "../wire/list-values.ts";
import type { Request } from "../wire/message.ts";
import { type NameAddr, parseNameAddr } from "../wire/name-addr.ts";
import { isProblem } from "../wire/problem.ts";
import type { Seal } from "../wire/seal.ts";
import { isSecure, parseUri } from "../wire/uri.ts";
import { type Addresses, isOwnAddress } from "./addresses.ts";
import { openToken } from "./flow-token.ts";
import type { Party } from "./packed-party.ts";
import { type Rejection, reject } from "../wire/rejection.ts";
import { refuseSecure } from "./validate.ts";

export interface Path {
  readonly kind: "path";
  /** Both phones of the dialog, from its flow token; undefined: the request is out of dialog. */
  readonly dialog: DialogParties | undefined;
  /** The Request-URI of the forwarded request. */
  readonly uri: string;
  /** The changes of preprocessing. */
  readonly edits: readonly Edit[];
}

/** The sender and the receiver of a request within a dialog. */
export interface DialogParties {
  readonly sender: Party;
  readonly peer: Party;
}

/** The result depends on whether this host, in lower case, is a served domain. */
export interface NeedsDomain {
  readonly kind: "needs-domain";
  readonly host: string;
  /** A Route after it has a flow token of this dialog. */
  readonly isInDialog: boolean;
}

const noneServed: ReadonlyMap<string, boolean> = new Map();

/** `served`: whether a host is a served domain, for each `needs-domain` of earlier calls; call again until the result is another. */
export function preprocess(
  request: Request,
  addresses: Addresses,
  seal: Seal,
  served: ReadonlyMap<string, boolean> = noneServed,
): Path | Rejection | NeedsDomain {
  const routes = parseList(request, "route", (text, from, to) => parseNameAddr(text, from, to, "Route"));
  if (isProblem(routes)) return reject(400, routes.reason);
  if (routes.some(({ uri }) => isSecure(uri))) return refuseSecure();
  const edits: Edit[] = [];
  let uri = request.uri;
  let dialog = tokenParties(uri, request, seal);
  if (dialog !== undefined) {
    // A strict router put our Record-Route into the Request-URI, and its target at the end of Route.
    const target = routes.pop();
    if (target === undefined) return reject(400, "The Request-URI is our Record-Route and no Route follows");
    if (target.uri.length > maxUriBytes) return reject(414, "Request-URI Too Long");
    uri = target.uri;
    edits.push(replaceRequestUri(request, uri));
  }
  let own = 0;
  for (const route of routes) {
    const parties = tokenParties(route.uri, request, seal);
    if (parties === undefined && !isOwnRoute(route, addresses, served)) break;
    dialog ??= parties;
    own += 1;
  }
  const foreign = routes.slice(own);
  const [first] = foreign;
  if (first !== undefined && dialog === undefined) {
    const host = hostOf(first);
    if (host === undefined || served.has(host)) return reject(403, "Relay to a foreign Route is refused");
    const isInDialog = foreign.some((route) => tokenParties(route.uri, request, seal) !== undefined);
    return { kind: "needs-domain", host, isInDialog };
  }
  if (own > 0 || edits.length > 0) for (const edit of reduceRoutes(request, foreign)) edits.push(edit);
  return { kind: "path", dialog, uri, edits };
}

/** The parties of a valid flow token. A request without a To tag is out of dialog and cannot use one. */
function tokenParties(text: string, request: Request, seal: Seal): DialogParties | undefined {
  const { from, to, callId } = request;
  if (from.tag === undefined || to.tag === undefined) return undefined;
  const uri = parseUri(text);
  if (isProblem(uri) || uri.user === undefined) return undefined;
  const forth = openToken(uri.user, callId, from.tag, seal);
  if (forth !== undefined) return { sender: forth.caller, peer: forth.callee };
  const back = openToken(uri.user, callId, to.tag, seal);
  return back === undefined ? undefined : { sender: back.callee, peer: back.caller };
}

/** A served domain matches with any port, as in a Request-URI. */
function isOwnRoute(route: NameAddr, addresses: Addresses, served: ReadonlyMap<string, boolean>): boolean {
  const uri = parseUri(route.uri);
  return !isProblem(uri) && (isOwnAddress(addresses, uri.host, uri.port) || served.get(uri.host) === true);
}

function hostOf(route: NameAddr): string | undefined {
  const uri = parseUri(route.uri);
  return isProblem(uri) ? undefined : uri.host;
}

/** Reduces the Route fields to these values. */
function reduceRoutes(request: Request, left: readonly NameAddr[]): Edit[] {
  const edits = request.fields.filter(({ name }) => name === "route").map(removeField);
  const first = edits[0];
  if (first === undefined || left.length === 0) return edits;
  const values = left.map(({ start, end }) => request.text.slice(start, end)).join(", ");
  return [{ ...first, text: `Route: ${values}\r\n` }, ...edits.slice(1)];
}
