/** The result of routing a request, and the dependencies of the proxy. */
import type { Authenticator } from "../auth/authenticate.ts";
import type { Aor } from "../location/account.ts";
import type { Lookup } from "../location/lookup.ts";
import type { Edit } from "../wire/edits.ts";
import type { Flow } from "../wire/flow.ts";
import type { Seal } from "../wire/seal.ts";
import type { Epoch } from "../wire/units.ts";
import type { Addresses } from "./addresses.ts";
import type { Party } from "./packed-party.ts";
import type { Target } from "./targets.ts";

export interface ProxyDependencies {
  readonly lookup: Lookup;
  readonly authenticator: Authenticator;
  readonly addresses: Addresses;
  /** Seals flow tokens. */
  readonly tokenSeal: Seal;
  readonly node: string;
  now(): Epoch;
  isPeer(flow: Flow): boolean;
  /** Whether a live node owns this flow. */
  isReachable(flow: Flow): boolean;
}

export interface Routing {
  readonly kind: "forward";
  /** At least one. */
  readonly targets: readonly Target[];
  readonly edits: readonly Edit[];
  readonly maxForwards: number | undefined;
  readonly loop: string;
  /** The caller as a flow token names it; undefined in a dialog, where the token exists. */
  readonly caller: Party | undefined;
  /** The authenticated caller; undefined for a peer and in a dialog. */
  readonly proven: Aor | undefined;
}
