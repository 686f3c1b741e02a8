/**
 * A SIP message: the received bytes and an index of its header fields (RFC 3261 §7).
 *
 * The bytes are a latin1 string with one character for each byte ("wire text"). A slice of it copies nothing, the engine compares it, and it
 * is written exactly as it was received. Text in UTF-8 (display names, bodies) is therefore forwarded unchanged.
 */
import type { NameAddr } from "./name-addr.ts";
import type { Via } from "./via.ts";

/** The header fields that this program reads, by their long name in lower case. Every other field is "other". */
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

/** One header field: offsets into `text`. A folded value (§7.3.1) is one field. `end` is the offset after its CRLF. */
export interface Field {
  readonly name: FieldName;
  readonly start: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly end: number;
}

export interface IndexedText {
  /** Wire text of the message. */
  readonly text: string;
  /** In the order of the message. */
  readonly fields: readonly Field[];
}

interface Common extends IndexedText {
  /** Offset after the empty line. The rest is the body, with the length in Content-Length. */
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
  /** The Request-URI as in the request line. */
  readonly uri: string;
}

export interface Response extends Common {
  readonly kind: "response";
  readonly status: number;
  readonly reason: string;
}

export type Message = Request | Response;
