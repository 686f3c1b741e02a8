/**
 * A UDP load balancer for tests: one address in front, nodes behind, and to the phones it looks as kube-proxy with conntrack does.
 *
 *   phone ──▶ front 127.0.0.100:5060 ──▶ [flow's own socket 127.0.0.100:P] ──▶ the flow's node
 *   phone ◀── front                  ◀── [flow's own socket]               ◀── that node, and only that node
 *
 * A flow is a phone's ip:port, pinned to one node. `externalTrafficPolicy: Local` would show the node the phone's own address; a source
 * address cannot be forged on loopback without raw sockets, so each flow has an address of its own here instead: to the node that socket
 * is the phone. What another node sends to it is dropped and counted, as a port-restricted NAT would drop it: it has a conntrack entry of
 * the pinned node only, so the packet would leave with another source.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { Endpoint } from "./phone.ts";

interface Flow {
  readonly phone: Endpoint;
  readonly socket: Socket;
  node: string;
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
  /** Nodes that new flows do not go to. */
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

  /** New flows go to the nodes in turn. */
  static async open(nodes: ReadonlyMap<string, Endpoint>, { address, port }: Endpoint): Promise<Balancer> {
    const balancer = new Balancer(nodes, address);
    balancer.#front.bind(port, address);
    await once(balancer.#front, "listening");
    return balancer;
  }

  get front(): Endpoint {
    return this.#front.address();
  }

  /** The node that a phone's datagrams go to; undefined before its first one. */
  nodeOf(phone: Endpoint): string | undefined {
    return this.#flows.get(keyOf(phone))?.node;
  }

  /** From now on that phone's datagrams go to another node, also when it has not sent any yet. */
  async move(phone: Endpoint, node: string): Promise<void> {
    (await this.#flowOf(phone)).node = node;
  }

  /** A keepalive in the name of a phone whose program sends none. */
  async keepAlive(phone: Endpoint): Promise<void> {
    await this.#forward(Buffer.from("\r\n"), phone);
  }

  /** New flows go elsewhere and the node's own stay, as with kube-proxy while a pod terminates and is ready. */
  close(node: string): void {
    this.#closed.add(node);
  }

  /** Takes a node out: its flows move to the others, as when its pod is gone. */
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
    const flow: Flow = { phone, socket, node: this.#choose() };
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
