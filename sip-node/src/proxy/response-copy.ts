/** A response as it is forwarded to the caller (RFC 3261 §16.7 steps 3, 7 and 9). Pure. */
import { applyEdits, type Edit, removeTopVia } from "../wire/edits.ts";
import type { Response } from "../wire/message.ts";
import { identityEdits, type Trust } from "./identity.ts";

/**
 * Without our Via and without identities that its sender may not assert; with the challenges of `also` (step 7) and the changed Record-Route
 * (step 8).
 */
export function responseCopy(
  response: Response,
  trust: Trust,
  also: readonly Response[] = [],
  route?: Edit,
): string {
  const edits = [removeTopVia(response), ...identityEdits(response, trust)];
  if (route !== undefined) edits.push(route);
  const end = response.bodyStart - 2;
  for (const other of also)
    for (const field of other.fields)
      if (field.name === "www-authenticate" || field.name === "proxy-authenticate")
        edits.push({ start: end, end, text: other.text.slice(field.start, field.end) });
  return applyEdits(response.text, edits);
}
