/** Nodes of one cluster on a network in memory, with a clock that the test moves. Any datagram can be lost. */
import { createSeal } from "../../sip-node/src/auth/create-seal.ts";
import { Cluster } from "../../sip-node/src/cluster/cluster.ts";
import type { Address } from "../../sip-node/src/cluster/membership.ts";
import type { DirectoryNode, NodeHeartbeat } from "../../sip-node/src/cluster/node-directory.ts";
import { type Flow, isReliable } from "../../sip-node/src/wire/flow.ts";

const ring = [{ id: "k", key: Buffer.alloc(32, "k"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }];

/** A node and what it did, in order: "to phone udp:...: text", "directly udp:...: text", "response: text", "peer bbbbbbbbbbbb dead". */
export interface SimulatedNode {
  readonly id: string;
  readonly cluster: Cluster;
  readonly did: string[];
  /** Keys of the flows whose connections it has. */
  readonly connections: Set<string>;
  /** Whether it accepts requests that peers offer. */
  acceptsOffered: boolean;
  /** Whether it accepts requests that draining peers hand over. */
  acceptsHandedOver: boolean;
}

export class SimulatedNet {
  now = 1_000_000;
  /** Node ids that neither send nor receive. */
  readonly dead = new Set<string>();
  /** How many datagrams of each kind to lose, by the byte of the kind. */
  readonly lose = new Map<number, number>();
  /** The kind byte of each datagram so far. */
  readonly sent: number[] = [];
  /** Nodes whose rows are deleted. */
  readonly #left = new Set<string>();
  readonly #nodes = new Map<string, SimulatedNode>();
  readonly #queue: { readonly bytes: Buffer; readonly from: Address; readonly to: Address }[] = [];
  #deferred: (() => void)[] = [];
  isDatabaseAway = false;
  /** The last heartbeat of each node, by its id. */
  readonly heartbeats = new Map<string, NodeHeartbeat>();

  join(letter: string, isPortShared = false): SimulatedNode {
    const id = letter.repeat(12);
    const address = { host: `node-${letter}`, port: 7_000 };
    const did: string[] = [];
    const cluster: Cluster = new Cluster(
      { id, address, isPortShared, maxFlows: 10_000 },
      {
        sockets: {
          sendToPhone: (text, flow) => {
            if (isReliable[flow.transport] && !node.connections.has(flow.key)) return false;
            did.push(`to phone ${flow.key}: ${text}`);
            return true;
          },
          sendDirectly: (text, flow) => did.push(`directly ${flow.key}: ${text}`),
          sendToPeer: (bytes, to) => void this.#queue.push({ bytes: Buffer.from(bytes), from: address, to }),
        },
        receiver: {
          receiveRelayedResponse: (text, flow) => did.push(`response ${flow.key}: ${text}`),
          acceptOffered: (text, flow) => {
            did.push(`offered ${flow.key}: ${text}`);
            return node.acceptsOffered;
          },
          acceptHandedOver: (text, flow, peer) => {
            did.push(`handed over by ${peer} ${flow.key}: ${text}`);
            return node.acceptsHandedOver;
          },
        },
        observer: {
          peerChanged: (peer, isAlive) => did.push(`peer ${peer.id} ${isAlive ? "alive" : "dead"}`),
          directoryFailed: () => did.push("directory failed"),
        },
        directory: {
          join: async (heartbeat) => this.#writeHeartbeat(heartbeat),
          beat: async (heartbeat) => this.#writeHeartbeat(heartbeat),
          list: async () => this.#list(),
          markGone: async () => {},
          remove: async (removed) => void this.#left.add(removed),
        },
        copy: {
          apply: (change) => did.push(`change: ${textOf(change)}`),
          distrust: () => {},
        },
        announced: () => {},
        clock: { now: () => this.now, defer: (act: () => void) => void this.#deferred.push(act) },
        seal: createSeal(ring, "relay", () => this.now),
        isOutside: ({ address }) => !address.startsWith("10."),
        load: () => ({ transactions: 0, callsPerMinute: 0, requestsPerMinute: 0 }),
      },
    );
    const node: SimulatedNode = {
      ...{ id, cluster, did, connections: new Set() },
      ...{ acceptsOffered: false, acceptsHandedOver: true },
    };
    this.#nodes.set(id, node);
    return node;
  }

  #writeHeartbeat(heartbeat: NodeHeartbeat): void {
    this.heartbeats.set(heartbeat.id, heartbeat);
    if (this.isDatabaseAway) throw new Error("away");
  }

  #list(): DirectoryNode[] {
    if (this.isDatabaseAway) throw new Error("away");
    return [...this.#nodes.values()].flatMap(({ id }) =>
      this.#left.has(id)
        ? []
        : { id, address: { host: `node-${id[0] ?? ""}`, port: 7_000 }, isGone: false, isStale: false },
    );
  }

  /** Delivers all datagrams, and those that they cause, until there is none. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 10; ) {
      await Promise.resolve();
      const deferred = this.#deferred;
      this.#deferred = [];
      for (const act of deferred) act();
      const datagrams = this.#queue.splice(0);
      for (const datagram of datagrams) this.#deliver(datagram);
      quiet = deferred.length + datagrams.length > 0 ? 0 : quiet + 1;
    }
  }

  /** Moves the clock in steps of 25 ms, and calls `tick` of each node after each step. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 25) {
      this.now += Math.min(25, left);
      for (const node of this.#nodes.values()) if (!this.dead.has(node.id)) node.cluster.tick();
      await this.settle();
    }
  }

  #deliver({
    bytes,
    from,
    to,
  }: {
    readonly bytes: Buffer;
    readonly from: Address;
    readonly to: Address;
  }): void {
    this.sent.push(bytes[0] ?? 0);
    const nodeAt = (address: Address) =>
      [...this.#nodes.values()].find(({ id }) => `node-${id[0] ?? ""}` === address.host);
    const [sender, receiver] = [nodeAt(from), nodeAt(to)];
    if (
      receiver === undefined ||
      this.dead.has(receiver.id) ||
      (sender !== undefined && this.dead.has(sender.id))
    )
      return;
    const losses = this.lose.get(bytes[0] ?? 0) ?? 0;
    if (losses > 0) return void this.lose.set(bytes[0] ?? 0, losses - 1);
    receiver.cluster.receive(bytes, from);
  }
}

export const phoneAt = (flow: Flow, ownerNode = "", isBehindNat = true) => ({ flow, isBehindNat, ownerNode });

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
