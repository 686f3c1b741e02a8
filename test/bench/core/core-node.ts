/**
 * A whole node without sockets and database: core, transactions, cluster, registrar, proxy and the copy of users and bindings are real. The
 * clock stands until it is moved.
 */
import { ClusterKeys } from "../../../sip-node/src/auth/cluster-keys.ts";
import { hashPassword } from "../../../sip-node/src/auth/digest.ts";
import { defaultNonceLifetime } from "../../../sip-node/src/auth/nonce.ts";
import { NonceCounts } from "../../../sip-node/src/auth/nonce-counts.ts";
import { Cluster } from "../../../sip-node/src/cluster/cluster.ts";
import { Node } from "../../../sip-node/src/core/node.ts";
import { protocolOfOneNode } from "../../../sip-node/src/location/copy-protocol.ts";
import { Location } from "../../../sip-node/src/location/location.ts";
import { noReadings } from "../../support/no-readings.ts";
import { OverloadControl } from "../../../sip-node/src/overload/overload-control.ts";
import { defaultSourceLimits } from "../../../sip-node/src/overload/sources.ts";
import { addressesOf } from "../../../sip-node/src/proxy/addresses.ts";
import { createTelemetry } from "../../../sip-node/src/telemetry/metrics.ts";
import { type Flow, flowOf } from "../../../sip-node/src/wire/flow.ts";
import type { Ms } from "../../../sip-node/src/wire/units.ts";
import { MemoryLocation } from "../../support/memory-location.ts";
import { domainName } from "./phone-scripts.ts";

export interface CoreNodeOptions {
  /** Callers are peers: they are not challenged. */
  readonly isTrusting: boolean;
  /** Names of users. The password is the name. */
  readonly users: readonly string[];
  readonly send: (text: string, flow: Flow) => void;
  /** Default 500,000. */
  readonly maxFlows?: number;
}

const ring = [{ id: "k1", key: Buffer.alloc(32, "k"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }];
const id = "0123456789ab";
const started = 1_800_000_000_000;

export class CoreNode {
  now: Ms = 1_000_000;
  readonly node: Node;
  /** Look-ups that the copy did not answer. */
  databaseReads = 0;
  private readonly store = new MemoryLocation();
  private readonly location: Location;
  readonly overload = new OverloadControl(defaultSourceLimits, this.now);
  readonly errors: unknown[] = [];
  private readonly cluster: Cluster;

  constructor({ isTrusting, users, send, maxFlows = 500_000 }: CoreNodeOptions) {
    const telemetry = createTelemetry(noReadings);
    this.addUsers(users);
    this.location = new Location(this.store, {
      defer: queueMicrotask,
      now: () => this.now,
      epoch: () => started + this.now,
      protocol: protocolOfOneNode,
      maxCopied: 200_000,
      lookedUp: (kind, result) => {
        telemetry.lookedUp(kind, result);
        if (result !== "copy") this.databaseReads += 1;
      },
    });
    this.overload.load.registerRate = 1_000_000_000; // the clock stands: the rate has no meaning
    const keys = new ClusterKeys(ring, () => started + this.now);
    const cluster: Cluster = new Cluster(
      { id, address: { host: "127.0.0.1", port: 7000 }, isPortShared: false, maxFlows },
      {
        sockets: {
          sendToPhone: (text, flow) => (send(text, flow), true),
          sendDirectly: send,
          sendToPeer: () => {},
        },
        receiver: {
          receiveRelayedResponse: (datagram) => this.node.receiveRelayedResponse(datagram),
          acceptOffered: (datagram, flow) => this.node.acceptOffered(datagram, flow),
          acceptHandedOver: (datagram, flow, peer) => this.node.acceptHandedOver(datagram, flow, peer),
        },
        observer: { peerChanged: () => {}, directoryFailed: (error) => void this.errors.push(error) },
        directory: {
          join: () => Promise.resolve(),
          beat: () => Promise.resolve(),
          list: () =>
            Promise.resolve([
              { id, address: { host: "127.0.0.1", port: 7000 }, isGone: false, isStale: false },
            ]),
          markGone: () => Promise.resolve(),
          remove: () => Promise.resolve(),
        },
        copy: { apply: () => {}, distrust: () => {} },
        announced: () => {},
        clock: { now: () => this.now, defer: (act) => void setImmediate(act) },
        seal: keys.relay,
        isOutside: () => true,
        load: () => this.node.load,
      },
    );
    this.cluster = cluster;
    const addresses = addressesOf({ host: "203.0.113.1", port: 5060 });
    this.node = new Node({
      lookup: this.location,
      authenticator: {
        get keys() {
          return keys.nonces;
        },
        nonceLifetime: defaultNonceLifetime,
        nonceCounts: new NonceCounts(),
        dummyHa1: "0123456789abcdef".repeat(4),
      },
      addresses,
      tokenSeal: keys.flowToken,
      branchSeal: keys.branch,
      node: id,
      cluster,
      telemetry,
      overload: this.overload,
      now: () => started + this.now,
      clock: () => this.now,
      isPeer: () => isTrusting,
      isReachable: (flow) => cluster.isReachable(flow),
      isOwnAddress: (text) => addresses.own.has(text),
      isStoreFailure: () => false,
      logRequest: undefined,
      reportInternalError: (error) => void this.errors.push(error),
    });
  }

  /** Flows that the node remembers. */
  get flowCount(): number {
    return this.cluster.flows.size;
  }

  /** A datagram as the socket delivers it. */
  receive(datagram: string, address: string, port: number): void {
    this.node.receiveDatagram(datagram, flowOf(address, port));
  }

  /** Moves the clock and fires the timers that are due. */
  advance(now: Ms): void {
    this.now = now;
    this.store.now = Math.floor((started + now) / 1000);
    this.node.tick();
    this.cluster.tick();
    this.location.advance(now);
  }

  private addUsers(users: readonly string[]): void {
    this.store.addDomain(domainName);
    for (const user of users)
      this.store.addUser(user, domainName, { ha1: hashPassword("MD5", user, domainName, user) });
  }
}
