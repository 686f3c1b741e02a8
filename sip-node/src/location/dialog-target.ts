/** The new address of a side of a dialog that sent a target refresh (RFC 3261 §12.2.1.2): a row of `strowger_dialog_target`. */
import type { Flow } from "../wire/flow.ts";

export interface DialogTarget {
  /** A decimal number below 2^63: hash of the Call-ID and both tags, that side's tag first. */
  readonly sideId: string;
  /** `contactKey` of the side's Contact. A request with another Request-URI is not for this target. */
  readonly contactKey: string;
  /** The source of its request within the dialog. */
  readonly flow: Flow;
  readonly isBehindNat: boolean;
  /** The owner of the flow when it was written, which may be outdated. */
  readonly ownerNode: string;
}
