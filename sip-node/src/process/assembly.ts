/** Makes the parts of a node and connects them. It opens no socket and starts no timer. */
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import { clock } from "../adapters/clock.ts";
import { CommitFence } from "../adapters/mysql/commit-fence.ts";
import { Database } from "../adapters/mysql/database.ts";
import { LocationTables } from "../adapters/mysql/location-tables.ts";
import { LoginCheck } from "../adapters/mysql/login-check.ts";
import { NodeTable } from "../adapters/mysql/node-table.ts";
import type { Authenticator } from "../auth/authenticate.ts";
import { ClusterKeys } from "../auth/cluster-keys.ts";
import { defaultNonceLifetime } from "../auth/nonce.ts";
import { NonceCounts } from "../auth/nonce-counts.ts";
import { Cluster } from "../cluster/cluster.ts";
import type { HostPort } from "../config/addresses.ts";
import type { Settings } from "../config/config.ts";
import { Node } from "../core/node.ts";
import { QueueFull } from "../location/coalescer.ts";
import { Location } from "../location/location.ts";
import { StoreUnavailable } from "../location/location-store.ts";
import { loadLevels } from "../overload/load-monitor.ts";
import { OverloadControl } from "../overload/overload-control.ts";
import { createTelemetry, type Telemetry } from "../telemetry/metrics.ts";
import type { Readings } from "../telemetry/metric-table.ts";
import { Maximum } from "./maximum.ts";
import { messageOf } from "./message-of.ts";
import { readSockets, readStreams, sendToPhone, type Sockets } from "./sockets.ts";
import { SettingsInForce } from "./settings-in-force.ts";

export interface AssemblyDependencies {
  /** The identifier of this process, and the version of the program. */
  readonly id: string;
  readonly version: string;
  readonly settings: Settings;
  readonly sockets: Sockets;
  readonly log: Logger;
}

const connectTimeout = 3_000;
const queryTimeout = 5_000;
/** Addresses of record, and names, in the copy (docs/adr/0045). */
const maxCopied = 200_000;

export class Assembly {
  readonly eventLoopLag = new Maximum();
  readonly telemetry: Telemetry;
  readonly database: Database;
  readonly login: LoginCheck;
  readonly nodes: NodeTable;
  readonly cluster: Cluster;
  readonly location: Location;
  readonly node: Node;
  private readonly deps: AssemblyDependencies;
  private readonly inForce: SettingsInForce;
  private readonly keys: ClusterKeys;
  readonly overload: OverloadControl;

  constructor(deps: AssemblyDependencies) {
    const { config, keys } = deps.settings;
    this.deps = deps;
    this.inForce = new SettingsInForce(deps.settings);
    this.keys = new ClusterKeys(keys, clock.epoch);
    this.overload = new OverloadControl(config.sourceLimits, clock.now());
    this.telemetry = createTelemetry(this.readings());
    this.database = new Database({ ...config.mysql, connectTimeout, queryTimeout }, (statement, duration) =>
      this.telemetry.statement(statement, duration),
    );
    this.login = this.createLoginCheck();
    this.nodes = this.createNodeTable();
    this.cluster = this.createCluster();
    this.location = this.createLocation();
    this.node = this.createNode();
  }

  /** Puts the settings into force that a running node can change. */
  apply(settings: Settings): void {
    const { inForce } = this;
    const { mysql, logLevel } = settings.config;
    const changes = inForce.replace(settings);
    this.keys.replace(settings.keys);
    this.overload.sources.limits = settings.config.sourceLimits;
    if (changes.insideRanges) this.cluster.refreshOutside();
    if (changes.login) {
      this.database.setLogin(mysql.user, mysql.password);
      void this.login.check();
    }
    this.deps.log.level = logLevel;
  }

  /** Counts and logs an internal error. The process goes on. */
  readonly reportInternalError = (error: unknown): void => {
    this.telemetry.internalError();
    this.deps.log.error({ err: error }, "internal error");
  };

  private readings(): Readings {
    return {
      transactions: () => this.node.transactions.counts,
      eventLoopLag: () => this.eventLoopLag.take(),
      peers: () => this.cluster.membership.alive(clock.now()).length,
      flows: () => this.cluster.flows.size,
      relays: () => this.cluster.relays,
      leases: () => this.cluster.copyProtocol.figures,
      copied: () => this.location.copied,
      evicted: () => this.location.evicted,
      dropped: () => this.overload.dropped,
      failedLogins: () => this.overload.failedLogins.total,
      loadLevel: () => loadLevels.indexOf(this.overload.load.level),
      udp: () => readSockets(this.deps.sockets),
      streams: () => readStreams(this.deps.sockets),
    };
  }

  private createLoginCheck(): LoginCheck {
    const { log } = this.deps;
    return new LoginCheck(
      () => this.database.testLogin(),
      (problem) =>
        problem === ""
          ? log.info("the database accepts this node's login again")
          : log.error({ err: problem }, "the database refuses a new login; open connections stay in use"),
    );
  }

  private createNodeTable(): NodeTable {
    const { version, settings } = this.deps;
    return new NodeTable(this.database, {
      name: settings.config.name,
      version,
      configurationHash: () => this.inForce.hash,
      databaseError: () => this.login.problem,
    });
  }

  private createCluster(): Cluster {
    const { id, sockets, settings, log } = this.deps;
    const { cluster, sip, maxFlows } = settings.config;
    return new Cluster(
      {
        id,
        address: withPort(cluster.advertise, sockets.peers.port),
        isPortShared: sip.reusePort,
        maxFlows,
      },
      {
        sockets: {
          sendToPhone: (text, flow) => sendToPhone(sockets, text, flow),
          sendDirectly: (text, flow) => sockets.direct.send(text, flow.address, flow.port),
          sendToPeer: (bytes, to) => sockets.peers.send(bytes, to.host, to.port),
        },
        receiver: {
          receiveRelayedResponse: (datagram) => this.node.receiveRelayedResponse(datagram),
          acceptOffered: (datagram, flow) => this.node.acceptOffered(datagram, flow),
          acceptHandedOver: (datagram, flow, peer) => this.node.acceptHandedOver(datagram, flow, peer),
        },
        observer: {
          peerChanged: ({ id: peer, address }, isAlive) =>
            log.info({ peer, address, isAlive }, isAlive ? "peer is alive" : "peer is gone"),
          directoryFailed: (error) => log.warn({ err: messageOf(error) }, "cannot read strowger_node"),
        },
        directory: this.nodes,
        copy: {
          apply: (change) => this.location.apply(change),
          distrust: () => this.location.distrust(),
        },
        announced: (waited) => this.telemetry.announced(waited),
        clock,
        seal: this.keys.relay,
        isOutside: (flow) => this.inForce.isOutside(flow),
        load: () => this.node.load,
      },
    );
  }

  private createLocation(): Location {
    const { inForce, telemetry, cluster } = this;
    const fence = new CommitFence(this.deps.id, {
      protocol: cluster.copyProtocol,
      rejoin: () => cluster.heartbeat.writeHeartbeat(),
      pause: (duration) => pause(duration),
    });
    const tables = new LocationTables(this.database, () => inForce.locationSocket, fence);
    return new Location(tables, {
      defer: clock.defer,
      now: clock.now,
      epoch: clock.epoch,
      protocol: cluster.copyProtocol,
      maxCopied,
      lookedUp: (kind, result) => telemetry.lookedUp(kind, result),
    });
  }

  private createNode(): Node {
    const { inForce, keys, cluster } = this;
    const { id, settings, log } = this.deps;
    const logRequest = (fields: object) => log.debug(fields, "request");
    return new Node({
      lookup: this.location,
      authenticator: this.createAuthenticator(),
      get addresses() {
        return inForce.addresses;
      },
      tokenSeal: keys.flowToken,
      branchSeal: keys.branch,
      node: id,
      cluster,
      telemetry: this.telemetry,
      overload: this.overload,
      maxTransactions: settings.config.maxTransactions,
      now: clock.epoch,
      clock: clock.now,
      isPeer: (flow) => inForce.peers.has(flow.address),
      isReachable: (flow) => cluster.isReachable(flow),
      isOwnAddress: (text) => inForce.addresses.own.has(text),
      isStoreFailure: (error) => error instanceof StoreUnavailable || error instanceof QueueFull,
      get logRequest() {
        return log.isLevelEnabled("debug") ? logRequest : undefined;
      },
      reportInternalError: this.reportInternalError,
    });
  }

  private createAuthenticator(): Authenticator {
    const { keys } = this;
    return {
      get keys() {
        return keys.nonces;
      },
      nonceLifetime: defaultNonceLifetime,
      nonceCounts: new NonceCounts(),
      dummyHa1: randomBytes(32).toString("hex"),
    };
  }
}

const withPort = (address: HostPort, port: number): HostPort =>
  address.port === 0 ? { host: address.host, port } : address;
