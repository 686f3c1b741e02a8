/** The dependencies of the registrar and the proxy for their tests: a location in memory, real keys, a clock that the test moves. No timers. */
import { createSeal } from "../../sip-node/src/auth/create-seal.ts";
import { deriveRing } from "../../sip-node/src/auth/key-ring.ts";
import { NonceCounts } from "../../sip-node/src/auth/nonce-counts.ts";
import { Location } from "../../sip-node/src/location/location.ts";
import { type Addresses, addressesOf, isOwnAddress } from "../../sip-node/src/proxy/addresses.ts";
import type { ProxyDependencies } from "../../sip-node/src/proxy/routing.ts";
import type { RegistrarDependencies } from "../../sip-node/src/registrar/register.ts";
import type { Flow } from "../../sip-node/src/wire/flow.ts";
import type { Request } from "../../sip-node/src/wire/message.ts";
import { parseHostPort } from "../../sip-node/src/wire/uri.ts";
import { digestAnswer } from "./digest-answer.ts";
import { locationDependencies } from "./location-dependencies.ts";
import { MemoryLocation } from "./memory-location.ts";
import { type Fields, requestOf } from "./sip-message.ts";

const ring = [{ id: "k", key: Buffer.alloc(32, "k"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }];

export interface ServiceDependencies extends ProxyDependencies, RegistrarDependencies {
  readonly lookup: Location;
}

/** What the nodes of one test share. */
export class TestServices {
  readonly store = new MemoryLocation();
  readonly addresses: Addresses = addressesOf({ host: "203.0.113.1", port: 5060 });
  readonly tokenSeal = createSeal(ring, "flow token", () => this.now);
  now = 1_800_000_000_000;
  /** Keys of the flows of configured peers. */
  readonly peers = new Set<string>();
  /** Keys of the flows that a live node owns. */
  readonly reachable = new Set<string>();

  /** The dependencies of one node. All nodes share the store and the keys. */
  dependencies(id = "aaaaaaaaaaaa"): ServiceDependencies {
    return {
      lookup: new Location(this.store, locationDependencies({ epoch: () => this.now })),
      authenticator: {
        keys: deriveRing(ring, "nonce"),
        nonceLifetime: 300_000,
        nonceCounts: new NonceCounts(),
        dummyHa1: "0123456789abcdef".repeat(4),
      },
      addresses: this.addresses,
      tokenSeal: this.tokenSeal,
      node: id,
      now: () => this.now,
      isPeer: (flow: Flow) => this.peers.has(flow.key),
      isReachable: (flow: Flow) => this.reachable.has(flow.key),
      isOwnAddress: (text: string) => {
        const found = parseHostPort(text);
        return found !== undefined && isOwnAddress(this.addresses, found.host, found.port);
      },
    };
  }
}

/** A request with credentials for the challenge in `lines`. The default password is the user name. */
export function withCredentials(
  method: string,
  uri: string,
  fields: Fields,
  rejection: { readonly status: number; readonly lines: string },
  username: string,
  password = username,
): Request {
  const value = digestAnswer(rejection.lines, { username, password }, method, uri);
  return requestOf(method, uri, {
    ...fields,
    [rejection.status === 401 ? "Authorization" : "Proxy-Authorization"]: value,
  });
}
