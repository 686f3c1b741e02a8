/** The credentials in a request that are for this exchange (RFC 3261 §22.3). Pure. */
import type { Authenticator } from "../auth/authenticate.ts";
import { checkNonce } from "../auth/nonce.ts";
import { parseDigestCredentials } from "../wire/digest-credentials.ts";
import { type Edit, removeField } from "../wire/edits.ts";
import { findField } from "../wire/fields.ts";
import type { Field, Request } from "../wire/message.ts";
import { isProblem } from "../wire/problem.ts";
import type { Epoch } from "../wire/units.ts";
import { toWireText } from "../wire/wire-text.ts";

/**
 * Removes the credentials for this exchange (§22.3): those of its realm, and those with a nonce of its own, which needs no look-up. An ACK
 * and most requests in a dialog repeat the credentials of the INVITE (§22.1): the called phone could use them for calls of its own.
 */
export function ownCredentials(
  request: Request,
  realm: string | undefined,
  authenticator: Authenticator,
  now: Epoch,
): Edit[] {
  if (findField(request.fields, "proxy-authorization") === undefined) return [];
  const wireRealm = realm === undefined ? undefined : toWireText(realm);
  return request.fields
    .filter((field) => isOwnCredential(request, field, wireRealm, authenticator, now))
    .map(removeField);
}

function isOwnCredential(
  request: Request,
  { name, valueStart, valueEnd }: Field,
  realm: string | undefined,
  { keys, nonceLifetime }: Authenticator,
  now: Epoch,
): boolean {
  if (name !== "proxy-authorization") return false;
  const found = parseDigestCredentials(request.text.slice(valueStart, valueEnd));
  if (found === undefined || isProblem(found)) return false;
  if (found.realm === realm) return true;
  return checkNonce(keys, found.nonce, request.callId, now, nonceLifetime).kind !== "forged";
}
