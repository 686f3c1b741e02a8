/** Which credentials of a request were meant for us (RFC 3261 §22.3). Pure. */
import type { Authenticator } from "../auth/authenticate.ts";
import { checkNonce } from "../auth/nonce.ts";
import { parseDigestCredentials } from "../wire/digest-credentials.ts";
import { type Edit, removeField } from "../wire/edits.ts";
import type { Field, Request } from "../wire/message.ts";
import { isProblem } from "../wire/problem.ts";
import type { Epoch } from "../wire/units.ts";
import { toWireText } from "../wire/wire-text.ts";

/**
 * Takes away what was meant for us (§22.3): credentials of our realm, and any with a nonce of ours, which need no look-up to be known.
 * An ACK and most requests in a dialog repeat those of the INVITE (§22.1), and whoever is called could call others with them.
 */
export function ownCredentials(
  request: Request,
  realm: string | undefined,
  authenticator: Authenticator,
  now: Epoch,
): Edit[] {
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
