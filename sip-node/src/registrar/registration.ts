/** A REGISTER request after authentication, with its header fields parsed (RFC 3261 §10.3). */
import type { Aor } from "../location/account.ts";
import type { Contacts } from "../wire/contact.ts";
import type { Flow } from "../wire/flow.ts";
import type { Epoch, Seconds } from "../wire/units.ts";

/** The longest expiration for a phone behind NAT on UDP: an unused address translation ends soon (design-sip rule 10). A connection does not. */
export const maxExpiresBehindNat: Seconds = 120;

export interface Registration {
  readonly aor: Aor;
  readonly contacts: Contacts;
  /** The Expires header field; undefined: there is none. */
  readonly expires: Seconds | undefined;
  readonly callId: string;
  readonly cseq: number;
  readonly userAgent: string;
  readonly flow: Flow;
  /** Its Via names its source address (`isSentDirectly`). */
  readonly isDirect: boolean;
  /** Id of the node that received it. */
  readonly node: string;
  /** Time and use count of the nonce in its credentials. */
  readonly nonce: { readonly at: Epoch; readonly count: number };
}
