/** Where one side of a dialog is since it changed its address within it (RFC 3261 §12.2.1.2): a row of `strowger_dialog_target`. */
import type { Flow } from "../wire/flow.ts";

export interface DialogTarget {
  /** A decimal number below 2^63: hash of the Call-ID and both tags, that side's first. */
  readonly sideId: string;
  /** `contactKey` of the Contact that the side said: requests that carry another URI are not for this target. */
  readonly contactKey: string;
  /** Where a request of that side within the dialog came from. */
  readonly flow: Flow;
  readonly isBehindNat: boolean;
  /** The node that heard it: a hint. */
  readonly ownerNode: string;
}
