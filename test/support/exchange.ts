/**
 * An exchange of whole nodes on the virtual network. Cores, clusters and transactions are real, and the location is in memory. A balancer pins
 * each flow to a node and rewrites addresses as kube-proxy does.
 *
 *   phone ──► 203.0.113.1:5060 ──► the node that its flow is pinned to
 *   node  ──► phone: from 203.0.113.1:5060 if the flow is pinned to this node, otherwise from the node's own address
 */
import { ClusterKeys } from "../../sip-node/src/auth/cluster-keys.ts";
import { defaultNonceLifetime } from "../../sip-node/src/auth/nonce.ts";
import { NonceCounts } from "../../sip-node/src/auth/nonce-counts.ts";
import { Cluster } from "../../sip-node/src/cluster/cluster.ts";
import { LifeCycle } from "../../sip-node/src/process/life-cycle.ts";
import { Location } from "../../sip-node/src/location/location.ts";
import { noReadings } from "./no-readings.ts";
import { type LocationStore, StoreUnavailable } from "../../sip-node/src/location/location-store.ts";
import { Node } from "../../sip-node/src/core/node.ts";
import { OverloadControl } from "../../sip-node/src/overload/overload-control.ts";
import { defaultSourceLimits } from "../../sip-node/src/overload/sources.ts";
import { createTelemetry } from "../../sip-node/src/telemetry/metrics.ts";
import { flowOf } from "../../sip-node/src/wire/flow.ts";
import type { Ms } from "../../sip-node/src/wire/units.ts";
import { locationDependencies } from "./location-dependencies.ts";
import { TestServices } from "./test-services.ts";
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
  readonly overload: OverloadControl;
  readonly life: LifeCycle;
  isAlive: boolean;
}

export class Exchange {
  readonly net = new VirtualNet();
  readonly services = new TestServices();
  readonly nodes = new Map<string, ExchangeNode>();
  readonly phones: VirtualPhone[] = [];
  /** Internal errors that nodes reported. */
  readonly errors: unknown[] = [];
  /** The duration of each statement. */
  databaseTakes: Ms = 2;
  /** The nodes' `drain.timeoutSeconds`, in milliseconds. */
  drainTimeout: Ms = 240_000;
  /** The node of each flow, by the phone's address. */
  readonly #pins = new Map<string, string>();
  /** Moves of flows that take effect at the flow's next datagram. */
  readonly #moves = new Map<string, string>();
  #turn = 0;
  /** When a flow moved to another node. */
  readonly #moved: { readonly place: string; readonly at: Ms }[] = [];

  readonly #maxFlows: number;

  /** Resolves when the nodes know each other. `maxFlows`: how many flows each node remembers. */
  static async open(letters = "ab", maxFlows = 10_000): Promise<Exchange> {
    const exchange = new Exchange(maxFlows);
    for (const letter of letters) exchange.start(letter);
    await exchange.net.pass(2_500);
    return exchange;
  }

  private constructor(maxFlows: number) {
    this.#maxFlows = maxFlows;
    const epoch = this.services.now - this.net.now;
    this.net.onTime = (now) => {
      this.services.now = epoch + now;
      this.services.store.now = Math.floor(this.services.now / 1000);
    };
    this.services.store.addDomain(domain);
    this.net.attach(advertised, (datagram) => this.#fromPhone(datagram));
  }

  /** Starts a node. The others find it within a second. */
  start(letter: string): ExchangeNode {
    const { net, services } = this;
    const id = letter.repeat(12);
    const address = { host: `node-${letter}`, port: 7_000 };
    const isAlive = () => this.nodes.get(letter)?.isAlive === true;
    const post = (from: string, to: string, bytes: Uint8Array, latency?: Ms) => {
      if (isAlive()) net.send(from, to, bytes, latency);
    };
    const place = `${address.host}:${address.port}`;
    const clock = { now: () => net.now, defer: (act: () => void) => void net.after(0, act) };
    const keys = new ClusterKeys(ring, () => services.now);
    const life = new LifeCycle();
    const location = new Location(
      this.#slowStore(),
      locationDependencies({
        now: () => net.now,
        epoch: () => services.now,
        protocol: {
          isCurrent: () => cluster.copyProtocol.isCurrent(),
          announce: (change) => cluster.copyProtocol.announce(change),
        },
      }),
    );
    life.serve();
    const cluster: Cluster = new Cluster(
      { id, address, isPortShared: false, maxFlows: this.#maxFlows },
      {
        sockets: {
          sendToPhone: (text, { address: host, port }) => {
            const to = `${host}:${port}`;
            post(
              this.#pins.get(to) === letter ? advertised : `${address.host}:5060`,
              to,
              Buffer.from(text, "latin1"),
            );
            return true;
          },
          sendDirectly: (text, { address: host, port }) =>
            post(`${address.host}:5070`, `${host}:${port}`, Buffer.from(text, "latin1")),
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
          join: async () => {},
          beat: async () => {},
          list: async () =>
            [...this.nodes.values()]
              .filter((other) => other.isAlive || other.id === id)
              .map((other) => ({ ...addressOf(other), isGone: false, isStale: false })),
          markGone: async () => {},
          remove: async () => {},
        },
        copy: { apply: (change) => location.apply(change), distrust: () => location.distrust() },
        announced: () => {},
        clock,
        seal: keys.relay,
        isOutside: () => false,
        load: () => node.load,
      },
    );
    const overload = new OverloadControl(defaultSourceLimits, net.now);
    const node: Node = new Node({
      ...services.dependencies(id),
      lookup: location,
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
      overload,
      clock: clock.now,
      isReachable: (flow) => cluster.isReachable(flow),
      isStoreFailure: (error) => error instanceof StoreUnavailable,
      logRequest: undefined,
      reportInternalError: (error) => void this.errors.push(error),
    });
    net.attach(place, ({ bytes, from }) => {
      const [host = "", port = ""] = from.split(":");
      if (isAlive()) cluster.receive(bytes, { host, port: Number(port) });
    });
    const started: ExchangeNode = { letter, id, node, cluster, keys, overload, life, isAlive: true };
    net.every(tickInterval, () => {
      if (!isAlive()) return;
      node.tick();
      cluster.tick();
      location.advance(net.now);
      this.#leave(started);
    });
    this.nodes.set(letter, started);
    return started;
  }

  /** `kill -9`: the node stops at once, and its state is lost. */
  kill(letter: string): void {
    this.node(letter).isAlive = false;
  }

  /**
   * SIGTERM. `stay`: its flows stay on it until it exits, as with kube-proxy while it is ready; `move`: the load balancer moves each of them to
   * another node at its next datagram.
   */
  drain(letter: string, flows: "stay" | "move"): void {
    const { life, cluster } = this.node(letter);
    life.drain(this.net.now);
    cluster.heartbeat.drain();
    if (flows === "move")
      for (const [place, pin] of this.#pins)
        if (pin === letter) this.#moves.set(place, this.#otherNode(letter));
  }

  /** Ends a drained node, as its process does. */
  #leave(one: ExchangeNode): void {
    const { life, node, cluster } = one;
    const work = { isDrained: life.isDraining && node.isDrained, owesAnswers: node.hasOpenRequests };
    if (!life.mayLeave(this.net.now, this.drainTimeout, work) || node.isForwarding) return;
    cluster.heartbeat.leave();
    one.isAlive = false;
  }

  /** The other serving nodes, in turn. */
  #otherNode(letter: string): string {
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

  /** A phone of a new user, whose flow is pinned to a node. The password is the user name. */
  phone(settings: PhoneSettings & { readonly on: string }): VirtualPhone {
    this.services.store.addUser(settings.username, domain, { password: settings.username });
    const phone = new VirtualPhone(this.net, advertised, settings, this.phones.length + 1);
    this.phones.push(phone);
    this.move(phone, settings.on);
    return phone;
  }

  /** Moves the phone's flow to this node at its next datagram. */
  move(phone: VirtualPhone, letter: string): void {
    this.#moves.set(phone.place, letter);
  }

  /** Sends a datagram with a forged source address to a node. */
  forge(letter: string, text: string, place: string): void {
    this.#moves.set(place, letter);
    this.net.send(place, advertised, text);
  }

  /** Datagrams that nodes sent to a phone from an address that it never sent to, except those sent while its flow moved. */
  unexpectedDatagrams(phone: VirtualPhone): string[] {
    const wasMoving = (sentAt: Ms) =>
      this.#moved.some(
        ({ place, at }) => phone.places.includes(place) && sentAt >= at && sentAt <= at + 2 * innerLatency,
      ); // prettier-ignore
    return phone.unexpected
      .filter(({ at }) => !wasMoving(at))
      .map(({ at, from, text }) => `${at} ${from}: ${text.slice(0, 20)}`);
  }

  /** Server and client transactions and open requests of all live nodes. */
  get openWork(): { readonly transactions: number; readonly open: number } {
    const nodes = [...this.nodes.values()].filter(({ isAlive }) => isAlive).map(({ node }) => node);
    const counts = nodes.map(({ transactions }) => transactions.counts);
    return {
      transactions: counts.reduce((sum, { server, client }) => sum + server + client, 0),
      open: nodes.filter((node) => node.hasOpenRequests).length,
    };
  }

  /** The messages between phones and exchange, one in each line, for a failed test. */
  messageLog(): string {
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
    const chosen = this.#moves.get(from) ?? this.#pins.get(from);
    this.#moves.delete(from);
    const pinned = this.nodes.get(chosen ?? "");
    const node = pinned?.isAlive === true ? pinned : this.nodes.get(this.#otherNode(chosen ?? ""));
    if (node === undefined) return;
    if (this.#pins.get(from) !== node.letter) this.#moved.push({ place: from, at: this.net.now });
    this.#pins.set(from, node.letter);
    const [address = "", port = ""] = from.split(":");
    node.node.receiveDatagram(bytes.toString("latin1"), flowOf(address, Number(port)));
  }

  /** The store with the duration of a statement. It fails at once when it is unavailable. */
  #slowStore(): LocationStore {
    const { store } = this.services;
    const wait = () => new Promise<void>((done) => this.net.after(this.databaseTakes, done));
    return {
      resolve: async (names) => wait().then(() => store.resolve(names)),
      bindings: async (aors) => wait().then(() => store.bindings(aors)),
      bindingsById: async (ids) => wait().then(() => store.bindingsById(ids)),
      bindingsByContact: async (key, limit) => wait().then(() => store.bindingsByContact(key, limit)),
      accountChanges: async () => wait().then(() => store.accountChanges()),
      names: async (kind, after, limit) => wait().then(() => store.names(kind, after, limit)),
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
