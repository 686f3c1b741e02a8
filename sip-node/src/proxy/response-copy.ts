/** A response as it is forwarded to the caller (RFC 3261 §16.7 steps 3, 7 and 9). Pure. */
import { contentLengthEdit } from "../wire/content-length.ts";
import { type Flow, isReliable } from "../wire/flow.ts";
import { applyEdits, type Edit, removeTopVia } from "../wire/edits.ts";
import type { Response } from "../wire/message.ts";
import { identityEdits, type Trust } from "./identity.ts";

/**
 * Without our Via and without identities that its sender may not assert; with the challenges of `also` (step 7), the changes of Record-Route (step
 * 8), and the Content-Length that a stream needs.
 */
export function responseCopy(
  response: Response,
  caller: Flow,
  trust: Trust,
  also: readonly Response[] = [],
  changes: readonly Edit[] = [],
): string {
  const edits = [removeTopVia(response), ...identityEdits(response, trust), ...changes];
  const length = isReliable[caller.transport] ? contentLengthEdit(response) : undefined;
  if (length !== undefined) edits.push(length);
  const end = response.bodyStart - 2;
  for (const other of also)
    for (const field of other.fields)
      if (field.name === "www-authenticate" || field.name === "proxy-authenticate")
        edits.push({ start: end, end, text: other.text.slice(field.start, field.end) });
  return applyEdits(response.text, edits);
}
