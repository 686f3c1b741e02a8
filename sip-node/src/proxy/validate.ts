/** Request validation (RFC 3261 §16.3): checks that need no look-up. */
import { parseDigits } from "../wire/characters.ts";
import { fieldValue, findField } from "../wire/fields.ts";
import { maxFieldBytes, maxFields, maxMessageBytes } from "../wire/limits.ts";
import { parseList } from "../wire/list-values.ts";
import type { Request } from "../wire/message.ts";
import { isProblem } from "../wire/problem.ts";
import { parseNameAddr } from "../wire/name-addr.ts";
import { isSecure, parseUri, type SipUri } from "../wire/uri.ts";
import { parseVia, sipVersion } from "../wire/via.ts";
import { type Addresses, isOwnAddress } from "./addresses.ts";
import { type Rejection, reject } from "../wire/rejection.ts";
import { loopHash, readViaBranch } from "./via-branch.ts";

export interface ValidRequest {
  readonly kind: "valid";
  readonly uri: SipUri;
  /** Undefined when the request carries none: 70 is added (§16.6 step 3). */
  readonly maxForwards: number | undefined;
  /** The loop hash of this request, for the branches it is forwarded with. */
  readonly loop: string;
}

export function validate(request: Request, addresses: Addresses): ValidRequest | Rejection {
  // 1. The parser checks the syntax; our copy must stay within the same limits. 2. URI scheme
  const tooLarge = refuseTooLarge(request);
  if (tooLarge !== undefined) return tooLarge;
  const uri = parseUri(request.uri);
  if (isProblem(uri)) return reject(uri.status, reasonOf(uri.status, uri.reason));
  if (uri.scheme === "sips" || hasSecureContact(request)) return refuseSecure();
  // 3. Max-Forwards
  const field = fieldValue(request, "max-forwards");
  const maxForwards = field === undefined ? undefined : parseDigits(field, 2_147_483_647);
  if (maxForwards === -1) return reject(400, "Max-Forwards is no number");
  if (maxForwards === 0) return reject(483, "Too Many Hops");
  // 4. Loop check
  const loop = loopHash(request, routesOf(request));
  const vias = hasOneVia(request) ? [] : parseList(request, "via", parseVia);
  if (isProblem(vias)) return reject(400, vias.reason);
  for (const via of vias) {
    if (via.version !== sipVersion) return reject(505, "Version Not Supported");
    if (
      isOwnAddress(addresses, via.host.replace(/[[\]]/g, ""), via.port) &&
      readViaBranch(via.branch)?.loop === loop
    )
      return reject(482, "Loop Detected");
  }
  // 5. Proxy-Require
  const required = fieldValue(request, "proxy-require");
  if (required !== undefined && required !== "")
    return reject(420, "Bad Extension", `Unsupported: ${required}\r\n`);
  return { kind: "valid", uri, maxForwards, loop };
}

/** The maximum that forwarding adds to a request: Via, Record-Route and Max-Forwards; `received` and `rport` in the Via below. */
const added = { fields: 3, viaBytes: 80, bytes: 1_024 };

/** Refuses a request whose copy would exceed the limits of our own parser: the transaction layer parses it again for an ACK. */
function refuseTooLarge({ text, fields }: Request): Rejection | undefined {
  if (text.length > maxMessageBytes - added.bytes) return reject(513, "Message Too Large");
  if (fields.length > maxFields - added.fields)
    return reject(400, `More than ${maxFields - added.fields} header fields`);
  const top = findField(fields, "via");
  const isLong = top !== undefined && top.valueEnd - top.valueStart > maxFieldBytes - added.viaBytes;
  return isLong ? reject(400, "The Via is too long") : undefined;
}

/** The reason phrase of RFC 3261 §21, or the detail where §21 has none. */
const reasonOf = (status: number, detail: string): string =>
  status === 416 ? "Unsupported URI Scheme" : detail;

/**
 * `sips` requires TLS on every hop (§26.2.2), which is not served. The peer uses the Contact as the Request-URI of later requests: the BYE
 * to a `sips` Contact would be refused.
 */
function hasSecureContact(request: Request): boolean {
  const field = findField(request.fields, "contact");
  if (field === undefined) return false;
  const contact = parseNameAddr(request.text, field.valueStart, field.valueEnd, "Contact");
  return !isProblem(contact) && isSecure(contact.uri);
}

/** For a request that must not be sent over UDP (ADR 28). */
export const refuseSecure = (): Rejection =>
  reject(
    416,
    "Unsupported URI Scheme",
    'Warning: 399 strowger "sips needs TLS, which is not served here"\r\n',
  );

function hasOneVia(request: Request): boolean {
  const field = findField(request.fields, "via");
  return (
    field !== undefined &&
    field.valueEnd === request.via.end &&
    request.fields.filter(({ name }) => name === "via").length === 1
  );
}

function routesOf(request: Request): string {
  let routes = "";
  for (const { name, valueStart, valueEnd } of request.fields)
    if (name === "route") routes += request.text.slice(valueStart, valueEnd);
  return routes;
}
