/** A REGISTER as the plan reads it (RFC 3261 §10.3): authenticated, its header fields parsed. */
import type { Aor } from "../location/account.ts";
import type { Contacts } from "../wire/contact.ts";
import type { Flow } from "../wire/flow.ts";
import type { Epoch, Seconds } from "../wire/units.ts";

/** Longest grant to a phone behind NAT on UDP: its address translation lives no longer than it is used (design-sip rule 10). */
export const maxExpiresBehindNat: Seconds = 120;

export interface Registration {
  readonly aor: Aor;
  readonly contacts: Contacts;
  /** The Expires header field, where there is one. */
  readonly expires: Seconds | undefined;
  readonly callId: string;
  readonly cseq: number;
  readonly userAgent: string;
  readonly flow: Flow;
  /** Its Via names the address that it came from (`isSentDirectly`). */
  readonly isDirect: boolean;
  readonly node: string;
  /** What the credentials proved. */
  readonly nonce: { readonly at: Epoch; readonly count: number };
}
