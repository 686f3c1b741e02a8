/** Why a branch is cancelled, and the Reason header of its CANCEL (RFC 3326). A phone without a Reason shows a missed call. */
import { maxReasonBytes } from "../wire/limits.ts";
import type { Request } from "../wire/message.ts";

export type CancelCause =
  /** The caller cancelled; `reasons` are the Reason header lines of its CANCEL, each with its CRLF. */
  | { readonly kind: "caller"; readonly reasons: string }
  /** Another branch answered with 2xx. */
  | { readonly kind: "answered-elsewhere" }
  /** Another branch answered with this 6xx. */
  | { readonly kind: "refused-elsewhere"; readonly status: number }
  /** The caller has its answer, and this branch never answered (ADR 29). */
  | { readonly kind: "silent" }
  /** Timer C fired (§16.8). */
  | { readonly kind: "timer-c" };

/** Header lines, each with its CRLF. */
export function reasonLines(cause: CancelCause): string {
  switch (cause.kind) {
    case "caller":
      return cause.reasons;
    case "answered-elsewhere":
      return 'Reason: SIP;cause=200;text="Call completed elsewhere"\r\n';
    case "refused-elsewhere":
      return `Reason: SIP;cause=${cause.status}\r\n`;
    case "silent":
    case "timer-c":
      return "";
  }
}

/** The Reason header lines of the caller's CANCEL, unchanged; empty where there are none, or more than `maxReasonBytes`. */
export function callersReasons(cancel: Request): string {
  let lines = "";
  for (const { name, start, end } of cancel.fields)
    if (name === "reason") lines += cancel.text.slice(start, end);
  return lines.length > maxReasonBytes ? "" : lines;
}
