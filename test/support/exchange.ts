/**
 * An exchange of whole nodes on the virtual net: real floor plans, clusters and transactions, a location in memory, and a balancer
 * that pins each flow to a node and rewrites addresses as kube-proxy does.
 *
 *   phone ──► 203.0.113.1:5060 ──► the node its flow is pinned to
 *   node  ──► phone: from 203.0.113.1:5060 where the flow is pinned to this node, else from the node's own address
 */
import { ClusterKeys } from "../../sip-node/src/auth/cluster-keys.ts";
import { defaultNonceLifetime } from "../../sip-node/src/auth/nonce.ts";
import { NonceCounts } from "../../sip-node/src/auth/nonce-counts.ts";
import { Cluster } from "../../sip-node/src/cluster/cluster.ts";
import { LifeCycle } from "../../sip-node/src/process/life-cycle.ts";
import { Location } from "../../sip-node/src/location/location.ts";
import { type LocationStore, StoreUnavailable } from "../../sip-node/src/location/location-store.ts";
import { Node } from "../../sip-node/src/core/node.ts";
import { createTelemetry } from "../../sip-node/src/telemetry/metrics.ts";
import { flowOf } from "../../sip-node/src/wire/flow.ts";
import type { Ms } from "../../sip-node/src/wire/units.ts";
import { TestHouse } from "./deciding-house.ts";
import { type Datagram, VirtualNet } from "./virtual-net.ts";
import { type PhoneSettings, VirtualPhone } from "./virtual-phone.ts";

const ring = [{ id: "k", key: Buffer.alloc(32, "k"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }];
const tickInterval: Ms = 20;
const innerLatency: Ms = 1;
export const advertised = "203.0.113.1:5060";
export const domain = "example.com";

export interface ExchangeNode {
  readonly letter: string;
  readonly id: string;
  readonly node: Node;
  readonly cluster: Cluster;
  readonly keys: ClusterKeys;
  readonly life: LifeCycle;
  isAlive: boolean;
}

export class Exchange {
  readonly net = new VirtualNet();
  readonly house = new TestHouse();
  readonly nodes = new Map<string, ExchangeNode>();
  readonly phones: VirtualPhone[] = [];
  /** What nodes call errors of their own. */
  readonly errors: unknown[] = [];
  /** How long every statement takes. */
  databaseTakes: Ms = 2;
  /** How long a drain may take. */
  drainTimeout: Ms = 240_000;
  /** Which node hears a flow, by its address. */
  readonly #pins = new Map<string, string>();
  /** Pins that begin with the flow's next datagram. */
  readonly #moves = new Map<string, string>();
  /** When a flow came to another node. */
  #turn = 0;
  readonly #moved: { readonly place: string; readonly at: Ms }[] = [];

  readonly #maxFlows: number;

  /** Nodes that know each other; `maxFlows` is how many flows each remembers. */
  static async open(letters = "ab", maxFlows = 10_000): Promise<Exchange> {
    const exchange = new Exchange(maxFlows);
    for (const letter of letters) exchange.start(letter);
    await exchange.net.pass(2_500);
    return exchange;
  }

  private constructor(maxFlows: number) {
    this.#maxFlows = maxFlows;
    const epoch = this.house.now - this.net.now;
    this.net.onTime = (now) => {
      this.house.now = epoch + now;
      this.house.store.now = Math.floor(this.house.now / 1000);
    };
    this.house.store.addDomain(domain);
    this.net.attach(advertised, (datagram) => this.#fromPhone(datagram));
  }

  /** A new node, which the others meet within a second. */
  start(letter: string): ExchangeNode {
    const { net, house } = this;
    const id = letter.repeat(12);
    const address = { host: `node-${letter}`, port: 7_000 };
    const isAlive = () => this.nodes.get(letter)?.isAlive === true;
    const post = (from: string, to: string, bytes: Uint8Array, latency?: Ms) => {
      if (isAlive()) net.send(from, to, bytes, latency);
    };
    const place = `${address.host}:${address.port}`;
    const clock = { now: () => net.now, defer: (act: () => void) => void net.after(0, act) };
    const keys = new ClusterKeys(ring, () => house.now);
    const life = new LifeCycle();
    life.serve();
    const cluster: Cluster = new Cluster(
      { id, address, isPortShared: false, maxFlows: this.#maxFlows },
      {
        sockets: {
          sendToPhone: (bytes, { address: host, port }) => {
            const to = `${host}:${port}`;
            post(this.#pins.get(to) === letter ? advertised : `${address.host}:5060`, to, bytes);
          },
          sendDirectly: (bytes, { address: host, port }) =>
            post(`${address.host}:5070`, `${host}:${port}`, bytes),
          sendToPeer: (bytes, to) => post(place, `${to.host}:${to.port}`, bytes, innerLatency),
        },
        receiver: {
          receiveRelayedResponse: (bytes) => node.receiveRelayedResponse(bytes),
          acceptOffered: (bytes, flow) => node.acceptOffered(bytes, flow),
          acceptHandedOver: (bytes, flow, peer) => node.acceptHandedOver(bytes, flow, peer),
        },
        observer: {
          peerChanged: () => {},
          directoryFailed: (error) => void this.errors.push(error),
        },
        directory: {
          writeHeartbeat: async () =>
            [...this.nodes.values()].filter((other) => other.isAlive).map((other) => addressOf(other)),
          remove: async () => {},
        },
        clock,
        seal: keys.relay,
        isOutside: () => false,
        load: () => node.load,
      },
    );
    const node: Node = new Node({
      ...house.node(id),
      lookup: new Location(this.#slowStore(), queueMicrotask),
      authenticator: {
        get keys() {
          return keys.nonces;
        },
        nonceLifetime: defaultNonceLifetime,
        nonceCounts: new NonceCounts(),
        dummyHa1: "0123456789abcdef".repeat(4),
      },
      tokenSeal: keys.flowToken,
      branchSeal: keys.branch,
      cluster,
      telemetry: createTelemetry(noReadings),
      clock: clock.now,
      isReachable: (flow) => cluster.isReachable(flow),
      isStoreFailure: (error) => error instanceof StoreUnavailable,
      log: () => {},
      reportInternalError: (error) => void this.errors.push(error),
    });
    net.attach(place, ({ bytes, from }) => {
      const [host = "", port = ""] = from.split(":");
      if (isAlive()) cluster.receive(bytes, { host, port: Number(port) });
    });
    const started: ExchangeNode = { letter, id, node, cluster, keys, life, isAlive: true };
    net.every(tickInterval, () => {
      if (!isAlive()) return;
      node.tick();
      cluster.tick();
      this.#leave(started);
    });
    this.nodes.set(letter, started);
    return started;
  }

  /** As `kill -9` does: what was under way stays where it is. */
  kill(letter: string): void {
    this.node(letter).isAlive = false;
  }

  /**
   * As SIGTERM does. `stay`: its flows keep coming until it exits, as with kube-proxy while it is ready; `move`: the load balancer sends
   * each to another node from its next datagram on.
   */
  drain(letter: string, flows: "stay" | "move"): void {
    const { life, cluster } = this.node(letter);
    life.drain(this.net.now);
    cluster.heartbeat.drain();
    if (flows === "move")
      for (const [place, pin] of this.#pins)
        if (pin === letter) this.#moves.set(place, this.#anotherThan(letter));
  }

  /** Takes a drained node away, as its process does. */
  #leave(one: ExchangeNode): void {
    const { life, node, cluster } = one;
    const work = { isDrained: life.isDraining && node.isDrained, owesAnswers: node.hasOpenRequests };
    if (!life.mayLeave(this.net.now, this.drainTimeout, work) || node.isForwarding) return;
    cluster.heartbeat.leave();
    one.isAlive = false;
  }

  /** The nodes that serve take what has to move in turn. */
  #anotherThan(letter: string): string {
    const others = [...this.nodes.values()].filter(
      (one) => one.isAlive && one.letter !== letter && !one.life.isDraining,
    ); // prettier-ignore
    this.#turn += 1;
    return others[this.#turn % others.length]?.letter ?? letter;
  }

  node(letter: string): ExchangeNode {
    const found = this.nodes.get(letter);
    if (found === undefined) throw new Error(`no node ${letter}`);
    return found;
  }

  /** A phone of a new user whose flow is pinned to a node; its password is its name. */
  phone(settings: PhoneSettings & { readonly on: string }): VirtualPhone {
    this.house.store.addUser(settings.username, domain, { password: settings.username });
    const phone = new VirtualPhone(this.net, advertised, settings, this.phones.length + 1);
    this.phones.push(phone);
    this.move(phone, settings.on);
    return phone;
  }

  /** From its next datagram on, the phone is heard by this node. */
  move(phone: VirtualPhone, letter: string): void {
    this.#moves.set(phone.place, letter);
  }

  /** A datagram with a source address of nobody's, to a node. */
  forge(letter: string, text: string, place: string): void {
    this.#moves.set(place, letter);
    this.net.send(place, advertised, text);
  }

  /** What nodes sent to a phone from a place that it never sent to, but for what was under way while its flow moved. */
  strangersOf(phone: VirtualPhone): string[] {
    const wasMoving = (sentAt: Ms) =>
      this.#moved.some(
        ({ place, at }) => phone.places.includes(place) && sentAt >= at && sentAt <= at + 2 * innerLatency,
      ); // prettier-ignore
    return phone.strangers
      .filter(({ at }) => !wasMoving(at))
      .map(({ at, from, text }) => `${at} ${from}: ${text.slice(0, 20)}`);
  }

  /** Server and client transactions and open requests of all live nodes. */
  get leftovers(): { readonly transactions: number; readonly open: number } {
    const nodes = [...this.nodes.values()].filter(({ isAlive }) => isAlive).map(({ node }) => node);
    const counts = nodes.map(({ transactions }) => transactions.counts);
    return {
      transactions: counts.reduce((sum, { server, client }) => sum + server + client, 0),
      open: nodes.filter((node) => node.hasOpenRequests).length,
    };
  }

  /** The messages between phones and exchange, one a line, for a failed test. */
  ladder(): string {
    const name = (place: string) => this.phones.find((phone) => phone.places.includes(place))?.name ?? place;
    return this.net.sent
      .filter(({ from, to }) => !(from.startsWith("node-") && to.startsWith("node-")))
      .map(({ at, from, to, text }) => {
        const cseq = /\r\nCSeq: *(.*)\r\n/i.exec(text)?.[1] ?? "";
        return `${at - 1_000_000} ${name(from)} -> ${name(to)}  ${text.slice(0, text.indexOf("\r\n"))}  (${cseq})`;
      })
      .join("\n");
  }

  #fromPhone({ bytes, from }: Datagram): void {
    const wanted = this.#moves.get(from) ?? this.#pins.get(from);
    this.#moves.delete(from);
    const pinned = this.nodes.get(wanted ?? "");
    const node = pinned?.isAlive === true ? pinned : this.nodes.get(this.#anotherThan(wanted ?? ""));
    if (node === undefined) return;
    if (this.#pins.get(from) !== node.letter) this.#moved.push({ place: from, at: this.net.now });
    this.#pins.set(from, node.letter);
    const [address = "", port = ""] = from.split(":");
    node.node.datagram(bytes, flowOf(address, Number(port)));
  }

  /** The store behind a statement's time; one that is away says so at once. */
  #slowStore(): LocationStore {
    const { store } = this.house;
    const wait = () => new Promise<void>((done) => this.net.after(this.databaseTakes, done));
    return {
      resolve: async (names) => wait().then(() => store.resolve(names)),
      bindings: async (aors) => wait().then(() => store.bindings(aors)),
      bindingsById: async (ids) => wait().then(() => store.bindingsById(ids)),
      bindingsByContact: async (key, limit) => wait().then(() => store.bindingsByContact(key, limit)),
      dialogTargets: async (ids) => wait().then(() => store.dialogTargets(ids)),
      storeDialogTargets: async (targets) => wait().then(() => store.storeDialogTargets(targets)),
      commit: async (changes) => wait().then(() => store.commit(changes)),
    };
  }
}

const addressOf = ({ id, letter }: ExchangeNode) => ({
  id,
  address: { host: `node-${letter}`, port: 7_000 },
});

const noReadings = {
  transactions: () => ({ server: 0, client: 0 }),
  eventLoopLag: () => 0,
  peers: () => 0,
  flows: () => 0,
  relays: () => ({}),
};
