/** What a location service of a test needs. It polls only when the test calls `advance`. */
import { protocolWithoutPeers } from "../../sip-node/src/location/copy-protocol.ts";
import type { LocationDependencies } from "../../sip-node/src/location/location.ts";

/** By default bindings are never answered from the copy. */
export const locationDependencies = (given: Partial<LocationDependencies> = {}): LocationDependencies => ({
  defer: queueMicrotask,
  now: () => performance.now(),
  epoch: () => Date.now(),
  protocol: protocolWithoutPeers,
  maxCopied: 1_000,
  lookedUp: () => {},
  ...given,
});
