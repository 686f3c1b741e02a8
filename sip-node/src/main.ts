/** Joins the rooms of a SIP node with its sockets, its database and its clocks, and runs it until SIGTERM. */
import { randomBytes } from "node:crypto";
import pino from "pino";
import { clock, every } from "./adapters/clock.ts";
import { serveHttp } from "./adapters/http.ts";
import { Database } from "./adapters/mysql/database.ts";
import { LocationTables } from "./adapters/mysql/location-tables.ts";
import { NodeTable } from "./adapters/mysql/node-table.ts";
import { countBindings, reapAll } from "./adapters/mysql/reaper.ts";
import { openUdp, type UdpSocket } from "./adapters/udp.ts";
import { createSeal } from "./auth/create-seal.ts";
import { createFreshSeal } from "./auth/fresh-seal.ts";
import { deriveRing } from "./auth/key-ring.ts";
import { defaultNonceLifetime } from "./auth/nonce.ts";
import { NonceCounts } from "./auth/nonce-counts.ts";
import { Cluster } from "./cluster/cluster.ts";
import { type Config, ConfigError, type HostPort, readConfig } from "./config.ts";
import { QueueFull } from "./location/coalescer.ts";
import { Location } from "./location/location.ts";
import { StoreUnavailable } from "./location/location-store.ts";
import { Node } from "./node.ts";
import { addressesOf } from "./proxy/addresses.ts";
import { createTelemetry } from "./telemetry/metrics.ts";
import { hostPort } from "./wire/flow.ts";
import type { KeyRing } from "./auth/key-ring.ts";

/** Timers fire late by at most this and a tick of their wheel. */
const tickInterval = 20;
const reapInterval = 30_000;
const countInterval = 5_000;
/** How long a stopping node waits for requests that it has not answered yet. */
const stopPatience = 5_000;
const receiveBuffer = 4 * 1024 * 1024;
const version = "0.1.0";

async function main(): Promise<void> {
  const { config, keys } = readConfig(process.env);
  await run(config, keys);
}

async function run(config: Config, keys: KeyRing): Promise<void> {
  const id = randomBytes(6).toString("hex");
  const output = pino.destination({ fd: 1, sync: false, minLength: 4096, maxLength: 1 << 20 });
  const log = pino(
    { level: config.logLevel, base: { node: config.name, id }, redact: ["password", "ha1", "nonce"] },
    output,
  );
  const lag = { worst: 0 };
  const gauges = { bindings: 0, isReady: false };

  const telemetry = createTelemetry({
    transactions: () => node.transactions.counts,
    bindings: () => gauges.bindings,
    eventLoopLag: () => {
      const { worst } = lag;
      lag.worst = 0;
      return worst;
    },
    peers: () => cluster.membership.alive(clock.now()).length,
    flows: () => cluster.flows.size,
    relays: () => cluster.relays,
  });
  const database = new Database(
    { ...config.mysql, connectTimeout: 3_000, queryTimeout: 5_000 },
    (statement, duration) => telemetry.statement(statement, duration),
  );
  const { advertise } = config.sip;
  const location = new Location(
    new LocationTables(database, `udp:${hostPort(advertise.host, advertise.port)}`),
    clock.defer,
  );
  const nodes = new NodeTable(database, { version, configurationHash: () => "" });

  const socketError = (error: Error) => log.warn({ err: error.message }, "socket");
  const sockets: { phones?: UdpSocket } = {};
  const direct = await openUdp({ ...config.sip.direct, reusePort: false, receiveBuffer }, socketError);
  const peers = await openUdp({ ...config.cluster.listen, reusePort: false, receiveBuffer }, socketError);

  const cluster: Cluster = new Cluster(
    {
      id,
      address: withPort(config.cluster.advertise, peers.port),
      isPortShared: config.sip.reusePort,
      seal: createFreshSeal(keys, "relay", clock.epoch),
    },
    {
      sendToPhone: (bytes, flow) => sockets.phones?.send(bytes, flow.address, flow.port),
      sendDirectly: (bytes, flow) => direct.send(bytes, flow.address, flow.port),
      post: (bytes, to) => peers.send(bytes, to.host, to.port),
      relayedResponse: (bytes) => node.relayedResponse(bytes),
      offered: (bytes, flow) => node.offered(bytes, flow),
      peerChanged: (peer, isAlive) =>
        log.info({ peer: peer.id, address: peer.address, isAlive }, isAlive ? "peer lives" : "peer is dead"),
      directoryFailed: (error) => log.warn({ err: messageOf(error) }, "strowger_node cannot be read"),
    },
    clock,
    nodes,
  );

  const broken = (error: unknown) => {
    telemetry.invariantBroken();
    log.error({ err: error }, "an error of ours");
  };
  const guard = (act: () => void) => {
    try {
      act();
    } catch (error) {
      broken(error);
    }
  };
  const trusted = new Set(config.peers);
  const addresses = addressesOf(advertise, config.sip.former);
  const node: Node = new Node({
    lookup: location,
    authenticator: {
      keys: deriveRing(keys, "nonce"),
      nonceLifetime: defaultNonceLifetime,
      nonceCounts: new NonceCounts(),
      dummyHa1: randomBytes(32).toString("hex"),
    },
    addresses,
    tokenSeal: createSeal(keys, "flow token", clock.epoch),
    branchSeal: createSeal(keys, "branch", clock.epoch),
    node: id,
    cluster,
    telemetry,
    now: clock.epoch,
    clock: clock.now,
    isPeer: (flow) => trusted.has(flow.address),
    isReachable: (flow) => cluster.isReachable(flow),
    isOwnAddress: (text) => addresses.own.has(text),
    isStoreFailure: (error) => error instanceof StoreUnavailable || error instanceof QueueFull,
    log: (event, fields) => log.info(fields, event),
    broken,
  });
  direct.receive((bytes, flow) => guard(() => node.directDatagram(bytes, flow)));
  peers.receive((bytes, { address, port }) => guard(() => cluster.receive(bytes, { host: address, port })));
  process.on("uncaughtException", broken);
  process.on("unhandledRejection", broken);

  const http = await serveHttp(config.http, {
    isReady: () => gauges.isReady,
    metrics: async () => ({ type: telemetry.registry.contentType, text: await telemetry.registry.metrics() }),
  });
  const background = (what: string, act: () => Promise<unknown>) => () =>
    void act().catch((error: unknown) => log.warn({ err: messageOf(error) }, what));
  const stops = [
    every(
      tickInterval,
      () =>
        guard(() => {
          node.tick();
          cluster.tick(node.transactions.counts.server);
        }),
      (by) => {
        lag.worst = Math.max(lag.worst, by);
      },
    ), // prettier-ignore
    every(
      reapInterval + Math.random() * 5_000,
      background("reaping", async () => {
        await reapAll(database);
        await nodes.sweep();
      }),
    ), // prettier-ignore
    every(
      countInterval,
      background("counting bindings", async () => {
        gauges.bindings = await countBindings(database);
      }),
    ), // prettier-ignore
    every(1_000, () => output.flush()),
  ];

  const stop = async (signal: string) => {
    log.info({ signal }, "stopping");
    const deadline = clock.now() + stopPatience;
    while (node.hasOpenRequests() && clock.now() < deadline) await pause(50);
    gauges.isReady = false;
    await cluster.leave().catch(() => {});
    for (const end of stops) end();
    http.close();
    http.closeAllConnections();
    await Promise.all([sockets.phones?.close(), direct.close(), peers.close(), database.close()]);
    log.info("stopped");
    output.flushSync();
    process.exit(0);
  };
  process.once("SIGTERM", () => void stop("SIGTERM"));
  process.once("SIGINT", () => void stop("SIGINT"));

  await meetPeers(cluster, (error) => log.warn({ err: messageOf(error) }, "waiting for the database"));
  sockets.phones = await openUdp(
    { ...config.sip.listen, reusePort: config.sip.reusePort, receiveBuffer },
    socketError,
  );
  sockets.phones.receive((bytes, flow) => guard(() => node.datagram(bytes, flow)));
  gauges.isReady = true;
  log.info({ sip: config.sip.listen, advertise, cluster: peers.port, http: config.http, version }, "ready");
}

/** No phone is served before the other nodes know this one: half of its answers would have no way back. */
async function meetPeers(cluster: Cluster, onFailure: (error: unknown) => void): Promise<void> {
  for (;;) {
    try {
      await cluster.beat(0);
      return await cluster.greet();
    } catch (error) {
      onFailure(error);
      await pause(500);
    }
  }
}

const withPort = (address: HostPort, port: number): HostPort =>
  address.port === 0 ? { host: address.host, port } : address;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

main().catch((error: unknown) => {
  process.stderr.write(
    `strowger node: ${error instanceof ConfigError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(error instanceof ConfigError ? 78 : 1);
});
