/** Why a branch is cancelled (RFC 3326): header lines of its CANCEL, each with its CRLF. A phone logs a missed call unless they say otherwise. */
import { maxReasonBytes } from "../wire/limits.ts";
import type { Request } from "../wire/message.ts";

/** Another branch has the call. */
export const answeredElsewhere = 'Reason: SIP;cause=200;text="Call completed elsewhere"\r\n';

/** Another branch ended the call everywhere, with this 6xx. */
export const refusedElsewhere = (status: number): string => `Reason: SIP;cause=${status}\r\n`;

/** The caller's own reasons, as they came; empty where there are none, or too many bytes of them. */
export function callersReason(cancel: Request): string {
  let lines = "";
  for (const { name, start, end } of cancel.fields)
    if (name === "reason") lines += cancel.text.slice(start, end);
  return lines.length > maxReasonBytes ? "" : lines;
}
