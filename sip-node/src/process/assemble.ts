/** Joins the rooms of a node with its sockets, its database and the settings in force. Nothing is bound or begun here. */
import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import { inRanges } from "../adapters/address-ranges.ts";
import { clock } from "../adapters/clock.ts";
import { Database } from "../adapters/mysql/database.ts";
import { LocationTables } from "../adapters/mysql/location-tables.ts";
import { LoginCheck } from "../adapters/mysql/login-check.ts";
import { NodeTable } from "../adapters/mysql/node-table.ts";
import type { UdpSocket } from "../adapters/udp.ts";
import { ClusterKeys } from "../auth/cluster-keys.ts";
import { defaultNonceLifetime } from "../auth/nonce.ts";
import { NonceCounts } from "../auth/nonce-counts.ts";
import { Cluster } from "../cluster/cluster.ts";
import type { Config, Settings } from "../config/config.ts";
import type { HostPort } from "../config/addresses.ts";
import { QueueFull } from "../location/coalescer.ts";
import { Location } from "../location/location.ts";
import { StoreUnavailable } from "../location/location-store.ts";
import { Node } from "../core/node.ts";
import { type Addresses, addressesOf } from "../proxy/addresses.ts";
import { createTelemetry, type Telemetry } from "../telemetry/metrics.ts";
import type { Flow } from "../wire/flow.ts";
import type { Ms } from "../wire/units.ts";

export interface Sockets {
  /** The one that phones know; undefined until the node serves. */
  phones: UdpSocket | undefined;
  readonly direct: UdpSocket;
  readonly peers: UdpSocket;
}

/** What is read elsewhere when metrics are scraped. */
export interface Gauges {
  /** How late the event loop ran, at most since the last scrape. */
  worstLag: Ms;
}

export interface Assembly {
  readonly node: Node;
  readonly cluster: Cluster;
  readonly telemetry: Telemetry;
  readonly database: Database;
  readonly nodes: NodeTable;
  readonly login: LoginCheck;
  /** Puts in force what a running node can change. */
  readonly apply: (settings: Settings) => void;
  /** An error of ours: it is told and ends nothing. */
  readonly broken: (error: unknown) => void;
}

/** What of the settings is looked up at each message, as it is kept for that. */
interface InForce {
  readonly addresses: Addresses;
  readonly locationSocket: string | undefined;
  readonly trusted: ReadonlySet<string>;
  readonly isOutside: (flow: Flow) => boolean;
}

export function assemble(
  id: string,
  version: string,
  begun: Settings,
  sockets: Sockets,
  gauges: Gauges,
  log: Logger,
): Assembly {
  const { config } = begun;
  let inForce = forceOf(config);
  let { hash } = begun;
  const keys = new ClusterKeys(begun.keys, clock.epoch);
  const telemetry: Telemetry = createTelemetry({
    transactions: () => node.transactions.counts,
    eventLoopLag: () => {
      const { worstLag } = gauges;
      gauges.worstLag = 0;
      return worstLag;
    },
    peers: () => cluster.membership.alive(clock.now()).length,
    flows: () => cluster.flows.size,
    relays: () => cluster.relays,
  });
  const database = new Database(
    { ...config.mysql, connectTimeout: 3_000, queryTimeout: 5_000 },
    (statement, duration) => telemetry.statement(statement, duration),
  );
  const login = new LoginCheck(
    () => database.tryLogin(),
    (problem) =>
      problem === ""
        ? log.info("the database takes this node's login again")
        : log.error({ err: problem }, "cannot sign in to the database anew; open connections go on"),
  );
  const nodes = new NodeTable(database, {
    ...{ name: config.name, version },
    configurationHash: () => hash,
    databaseError: () => login.problem,
  });
  const location = new Location(new LocationTables(database, () => inForce.locationSocket), clock.defer);
  const cluster: Cluster = new Cluster(
    {
      id,
      address: withPort(config.cluster.advertise, sockets.peers.port),
      isPortShared: config.sip.reusePort,
      maxFlows: config.maxFlows,
    },
    {
      sockets: {
        sendToPhone: (bytes, flow) => sockets.phones?.send(bytes, flow.address, flow.port),
        sendDirectly: (bytes, flow) => sockets.direct.send(bytes, flow.address, flow.port),
        sendToPeer: (bytes, to) => sockets.peers.send(bytes, to.host, to.port),
      },
      receiver: {
        receiveRelayedResponse: (bytes) => node.relayedResponse(bytes),
        acceptOffered: (bytes, flow) => node.offered(bytes, flow),
        acceptHandedOver: (bytes, flow, peer) => node.handed(bytes, flow, peer),
      },
      observer: {
        peerChanged: (peer, isAlive) =>
          log.info(
            { peer: peer.id, address: peer.address, isAlive },
            isAlive ? "peer lives" : "peer is gone",
          ),
        directoryFailed: (error) => log.warn({ err: messageOf(error) }, "strowger_node cannot be read"),
      },
      directory: nodes,
      clock,
      seal: keys.relay,
      isOutside: (flow) => inForce.isOutside(flow),
      load: () => node.figures,
    },
  );
  const broken = (error: unknown) => {
    telemetry.internalError();
    log.error({ err: error }, "an error of ours");
  };
  const node: Node = new Node({
    lookup: location,
    authenticator: {
      get keys() {
        return keys.nonces;
      },
      nonceLifetime: defaultNonceLifetime,
      nonceCounts: new NonceCounts(),
      dummyHa1: randomBytes(32).toString("hex"),
    },
    get addresses() {
      return inForce.addresses;
    },
    tokenSeal: keys.flowToken,
    branchSeal: keys.branch,
    node: id,
    cluster,
    telemetry,
    maxTransactions: config.maxTransactions,
    now: clock.epoch,
    clock: clock.now,
    isPeer: (flow) => inForce.trusted.has(flow.address),
    isReachable: (flow) => cluster.isReachable(flow),
    isOwnAddress: (text) => inForce.addresses.own.has(text),
    isStoreFailure: (error) => error instanceof StoreUnavailable || error instanceof QueueFull,
    log: (event, fields) => log.info(fields, event),
    broken,
  });
  let signedIn = config.mysql;
  const signIn = (mysql: Config["mysql"]) => {
    const isSame = mysql.user === signedIn.user && mysql.password === signedIn.password;
    signedIn = mysql;
    if (isSame) return;
    database.signInAs(mysql.user, mysql.password);
    void login.look();
  };
  let inside = config.insideRanges;
  const apply = (settings: Settings) => {
    const { insideRanges } = settings.config;
    inForce = forceOf(settings.config);
    hash = settings.hash;
    keys.replace(settings.keys);
    if (!isDeepStrictEqual(insideRanges, inside)) cluster.refreshOutside(); // each flow is looked at again
    inside = insideRanges;
    signIn(settings.config.mysql);
    log.level = settings.config.logLevel;
  };
  return { node, cluster, telemetry, database, nodes, login, apply, broken };
}

function forceOf({ sip, peers, insideRanges }: Config): InForce {
  const isInside = inRanges(insideRanges);
  return {
    addresses: addressesOf(sip.advertise, sip.former),
    locationSocket: sip.locationSocket,
    trusted: new Set(peers),
    isOutside: insideRanges.length === 0 ? () => false : ({ address }) => !isInside(address),
  };
}

const withPort = (address: HostPort, port: number): HostPort =>
  address.port === 0 ? { host: address.host, port } : address;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
