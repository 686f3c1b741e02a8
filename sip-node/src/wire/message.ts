/**
 * A SIP message as the rooms see it: the bytes received plus an index of its header fields (RFC 3261 §7).
 *
 * The bytes are held as a latin1 string, one character for each byte, so that slicing copies nothing, comparing is the engine's, and
 * writing gives back exactly what came. Text in UTF-8 (display names, bodies) therefore passes untouched and is never looked at.
 */
import type { NameAddr } from "./name-addr.ts";
import type { Via } from "./via.ts";

/** Header fields that some room reads, by their lower-case long name; every other field is "other". */
export type FieldName =
  | "via"
  | "from"
  | "to"
  | "call-id"
  | "cseq"
  | "contact"
  | "route"
  | "record-route"
  | "max-forwards"
  | "expires"
  | "min-expires"
  | "authorization"
  | "www-authenticate"
  | "proxy-authenticate"
  | "proxy-authorization"
  | "require"
  | "proxy-require"
  | "supported"
  | "content-length"
  | "content-type"
  | "path"
  | "user-agent"
  | "event"
  | "allow"
  | "retry-after"
  | "reason"
  | "timestamp"
  | "privacy"
  | "p-asserted-identity"
  | "p-preferred-identity"
  | "remote-party-id"
  | "other"; // prettier-ignore

/** One header field: offsets into `text`. A folded value (§7.3.1) is one field; `end` is behind its CRLF. */
export interface Field {
  readonly name: FieldName;
  readonly start: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly end: number;
}

interface Common {
  /** The message as it came, one character for each byte. */
  readonly text: string;
  /** In the order of the message. */
  readonly fields: readonly Field[];
  /** Offset behind the empty line; what follows is the body, exactly as long as Content-Length says. */
  readonly bodyStart: number;
  /** The topmost Via value. */
  readonly via: Via;
  readonly from: NameAddr;
  readonly to: NameAddr;
  readonly callId: string;
  readonly cseq: CSeq;
}

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

export interface Request extends Common {
  readonly kind: "request";
  readonly method: string;
  /** The Request-URI as it stands in the request line. */
  readonly uri: string;
}

export interface Response extends Common {
  readonly kind: "response";
  readonly status: number;
  readonly reason: string;
}

export type Message = Request | Response;
