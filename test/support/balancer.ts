/**
 * A UDP load balancer for tests: one address in front of all nodes. To phones it behaves as kube-proxy with conntrack.
 *
 *   phone ──▶ front 127.0.0.100:5060 ──▶ [the flow's socket 127.0.0.100:P] ──▶ the flow's node
 *   phone ◀── front                  ◀── [the flow's socket]               ◀── that node, and only that node
 *
 * A flow is a phone's ip:port, pinned to one node. With `externalTrafficPolicy: Local` a node sees the phone's own address. Without raw
 * sockets a source address cannot be forged on loopback, so here each flow has its own socket, which the node sees as the phone. A packet
 * of another node is dropped and counted. Really, only the pinned node has a conntrack entry: another node's packet would have another source
 * address, and a port-restricted NAT would drop it.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { Endpoint } from "./phone.ts";

const keepAlive = Buffer.from("\r\n");

interface Flow {
  readonly phone: Endpoint;
  readonly socket: Socket;
  node: string;
  /** When the phone last sent, in milliseconds of `performance.now()`. */
  sentAt: number;
}

export interface PacketCount {
  toNode: number;
  fromNode: number;
  /** Sent by this node to a phone whose flow is pinned elsewhere. */
  dropped: number;
}

export class Balancer implements Disposable {
  readonly counts = new Map<string, PacketCount>();
  readonly #nodes: ReadonlyMap<string, Endpoint>;
  readonly #flows = new Map<string, Flow>();
  readonly #opening = new Map<string, Promise<Flow>>();
  /** Nodes that get no new flows. */
  readonly #closed = new Set<string>();
  readonly #front: Socket;
  readonly #address: string;
  #next = 0;

  private constructor(nodes: ReadonlyMap<string, Endpoint>, address: string) {
    this.#nodes = nodes;
    this.#address = address;
    for (const name of nodes.keys()) this.counts.set(name, { toNode: 0, fromNode: 0, dropped: 0 });
    this.#front = createSocket(
      "udp4",
      (data, { address: from, port }) => void this.#forward(data, { address: from, port }),
    );
  }

  /** New flows are assigned to the nodes in turn. */
  static async open(nodes: ReadonlyMap<string, Endpoint>, { address, port }: Endpoint): Promise<Balancer> {
    const balancer = new Balancer(nodes, address);
    balancer.#front.bind(port, address);
    await once(balancer.#front, "listening");
    return balancer;
  }

  get front(): Endpoint {
    return this.#front.address();
  }

  /** The node of a phone's flow; undefined: it has sent no datagram. */
  nodeOf(phone: Endpoint): string | undefined {
    return this.#flows.get(keyOf(phone))?.node;
  }

  /** Moves a phone's flow to another node, also before its first datagram. */
  async move(phone: Endpoint, node: string): Promise<void> {
    (await this.#flowOf(phone)).node = node;
  }

  /** Forwards a keepalive for each phone that has sent something within this time, as phones do that wait for a response. */
  async keepAliveRecent(withinMs: number): Promise<void> {
    const since = performance.now() - withinMs;
    for (const { phone, sentAt } of [...this.#flows.values()])
      if (sentAt >= since) await this.#forward(keepAlive, phone);
  }

  /** The node gets no new flows and keeps its own, as with kube-proxy while a pod terminates and is ready. */
  close(node: string): void {
    this.#closed.add(node);
  }

  /** Removes a node. Its flows move to the other nodes, as when its pod is deleted. */
  remove(node: string): void {
    this.close(node);
    for (const flow of this.#flows.values()) if (flow.node === node) flow.node = this.#choose();
  }

  [Symbol.dispose](): void {
    this.#front.close();
    for (const flow of this.#flows.values()) flow.socket.close();
  }

  async #forward(data: Buffer, phone: Endpoint): Promise<void> {
    const flow = await this.#flowOf(phone);
    const node = this.#nodes.get(flow.node);
    if (node === undefined) return;
    this.#count(flow.node).toNode += 1;
    if (data !== keepAlive) flow.sentAt = performance.now();
    flow.socket.send(data, node.port, node.address);
  }

  #flowOf(phone: Endpoint): Promise<Flow> {
    const key = keyOf(phone);
    const known = this.#opening.get(key);
    if (known) return known;
    const opening = this.#openFlow(phone);
    this.#opening.set(key, opening);
    return opening;
  }

  async #openFlow(phone: Endpoint): Promise<Flow> {
    const socket = createSocket("udp4");
    const flow: Flow = { phone, socket, node: this.#choose(), sentAt: performance.now() };
    socket.on("message", (data, from) => {
      const sender = [...this.#nodes].find(
        ([, node]) => node.address === from.address && node.port === from.port,
      )?.[0];
      if (sender === flow.node) {
        this.#count(sender).fromNode += 1;
        this.#front.send(data, phone.port, phone.address);
      } else if (sender !== undefined) this.#count(sender).dropped += 1;
    });
    socket.bind(0, this.#address);
    await once(socket, "listening");
    this.#flows.set(keyOf(phone), flow);
    return flow;
  }

  #choose(): string {
    const alive = [...this.#nodes.keys()].filter((name) => !this.#closed.has(name));
    return alive[this.#next++ % alive.length] ?? "";
  }

  #count(node: string): PacketCount {
    const count = this.counts.get(node);
    if (count === undefined) throw new Error(`no node ${node}`);
    return count;
  }
}

function keyOf({ address, port }: Endpoint): string {
  return `${address}:${port}`;
}
