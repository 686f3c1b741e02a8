/** A SIP server that is measured. */
import type { Endpoint } from "../../support/phone.ts";

export interface Contestant extends AsyncDisposable {
  readonly name: string;
  /** The address that phones send to. */
  readonly at: Endpoint;
  /** Its main processes. Their descendants are counted with them. */
  readonly pids: readonly number[];
}
