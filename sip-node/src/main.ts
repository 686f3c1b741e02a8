/** The life of a SIP node's process: read, bind, meet the others, serve, drain, leave. */
import { randomBytes } from "node:crypto";
import type { Server } from "node:http";
import pino from "pino";
import { clock, every } from "./adapters/clock.ts";
import { isFromLoopback, serveHttp } from "./adapters/http.ts";
import { whyUnfit } from "./adapters/mysql/node-table.ts";
import { reapAll } from "./adapters/mysql/reaper.ts";
import { openUdp } from "./adapters/udp.ts";
import { watchFolders } from "./adapters/watch-folders.ts";
import { assemble, type Assembly, type Gauges, messageOf, type Sockets } from "./process/assemble.ts";
import { type Config, ConfigError, type Settings } from "./config/config.ts";
import { mountedFolders, readConfig } from "./config/read-config.ts";
import type { HostPort } from "./config/addresses.ts";
import { LifeCycle } from "./process/life-cycle.ts";
import { LiveSettings } from "./config/live-settings.ts";
import { controlPages, type PagesHouse, publicPages } from "./process/http-routes.ts";

/** Timers fire late by at most this and a tick of their wheel. */
const tickInterval = 20;
const reapInterval = 30_000;
/** Rarely enough that no server locks the account for it. */
const loginInterval = 60_000;
const lookInterval = 10_000;
const retryInterval = 500;
/** How long the last words to the database may take. */
const farewellPatience = 2_000;
const receiveBuffer = 4 * 1024 * 1024;
const version = "0.1.0";

const environment = process.env;
/** In bytes; a container's, where it has a limit. */
const memory = process.constrainedMemory() || Number.POSITIVE_INFINITY;
const output = pino.destination({ fd: 1, sync: false, minLength: 4096, maxLength: 1 << 20 });

async function main(): Promise<void> {
  const begun = readConfig(environment, clock.epoch(), memory);
  const { config } = begun;
  const id = randomBytes(6).toString("hex");
  const log = pino(
    { level: config.logLevel, base: { node: config.name, id }, redact: ["password", "ha1", "nonce"] },
    output,
  );
  const open = (address: HostPort, reusePort = false) =>
    openUdp({ ...address, reusePort, receiveBuffer }, (error) => log.warn({ err: error.message }, "socket"));
  const sockets: Sockets = {
    phones: undefined,
    direct: await open(config.sip.direct),
    peers: await open(config.cluster.listen),
  };
  const gauges: Gauges = { worstLag: 0 };
  const life = new LifeCycle();
  const assembly = assemble(id, version, begun, sockets, gauges, log);
  const { node, cluster, broken } = assembly;
  process.on("uncaughtException", broken);
  process.on("unhandledRejection", broken);
  const guard = (act: () => void) => {
    try {
      act();
    } catch (error) {
      broken(error);
    }
  };
  const settings = watchSettings(begun, assembly, log);
  const drain = (why: string) => {
    if (!life.drain(clock.now())) return;
    log.info(
      { why, transactions: node.transactions.counts, timeout: settings.config.drainTimeout },
      "draining",
    );
    assembly.telemetry.drainingChanged(true);
    cluster.heartbeat.drain();
  };
  const hurry = () => {
    life.hurry(clock.now());
    drain("SIGINT");
  };
  process.on("SIGTERM", () => drain("SIGTERM"));
  process.on("SIGINT", hurry);

  let tickedAt = clock.now();
  let isMember = false;
  const servers = await openPages(config, {
    status: () => ({
      node: id,
      name: config.name,
      version,
      stage: life.stage,
      ready: life.isReady,
      draining: life.isDraining,
      transactions: node.transactions.counts,
      servingPeers: cluster.membership.serving(clock.now()).length,
      configurationHash: settings.hash,
      configurationProblems: settings.report.problems,
      configurationRestarts: settings.report.restarts,
    }),
    sinceTick: () => clock.now() - tickedAt,
    metrics: async () => {
      const { registry } = assembly.telemetry;
      return { type: registry.contentType, text: await registry.metrics() };
    },
    drain: () => drain("POST /drain"),
  });

  sockets.direct.receive((bytes, flow) => guard(() => node.directDatagram(bytes, flow)));
  sockets.peers.receive((bytes, { address, port }) =>
    guard(() => cluster.receive(bytes, { host: address, port })),
  );
  const stops = startChores(assembly, log);
  const tick = () => {
    tickedAt = clock.now();
    node.tick();
    if (isMember) cluster.tick();
    const work = { isDrained: life.isDraining && node.isDrained, owesAnswers: node.hasOpenRequests() };
    if (life.mayLeave(tickedAt, settings.config.drainTimeout, work)) void leave();
  };
  const late = (by: number) => {
    gauges.worstLag = Math.max(gauges.worstLag, by);
  };
  const stopTicking = every(tickInterval, () => guard(tick), late);

  const leave = async () => {
    stopTicking();
    for (const stop of stops) stop();
    settings.stop();
    log.info({ transactions: node.transactions.counts, isDrained: node.isDrained }, "stopped");
    await Promise.race([cluster.heartbeat.removeRow(), pause(farewellPatience)]).catch(() => {});
    cluster.heartbeat.leave();
    await untilForwarded(node);
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    await Promise.all([sockets.phones?.close(), sockets.direct.close(), sockets.peers.close()]);
    await Promise.race([assembly.database.close(), pause(farewellPatience)]);
    output.flushSync();
    process.exit(0);
  };

  await untilSchemaFits(assembly, log);
  isMember = true;
  await meetPeers(assembly, log);
  sockets.phones = await open(config.sip.listen, config.sip.reusePort);
  sockets.phones.receive((bytes, flow) => guard(() => node.datagram(bytes, flow)));
  life.serve();
  log.info(
    {
      sip: config.sip.listen,
      advertise: config.sip.advertise,
      cluster: sockets.peers.port,
      http: config.http,
      version,
    },
    "ready",
  );
}

/** The settings in force, from now on as the mounted files say. */
function watchSettings(begun: Settings, { apply, telemetry }: Assembly, log: pino.Logger) {
  const live = new LiveSettings(begun, {
    read: () => readConfig(environment, clock.epoch(), memory),
    apply,
    refused(problems) {
      telemetry.configurationRead(problems.length, live.report.restarts.length);
      log.error({ problems }, "configuration refused, the last good one stays in force");
    },
    applied({ hash }, waiting) {
      telemetry.configurationRead(0, waiting.length);
      log.info({ hash }, "configuration in force");
      if (waiting.length > 0) log.warn({ waiting }, "configuration: this needs a restart");
    },
  });
  const stop = watchFolders(mountedFolders(environment), lookInterval, () => live.look());
  return Object.assign(live, { stop });
}

/** The second port is for those who may tell a node what to do: loopback, where RBAC guards it. */
const openPages = (config: Config, house: PagesHouse): Promise<Server[]> =>
  Promise.all([
    serveHttp(config.http, publicPages(house)),
    serveHttp(config.control, controlPages(house), isFromLoopback),
  ]);

/** What is done now and then; the answers stop it. */
function startChores({ database, nodes, login }: Assembly, log: pino.Logger): (() => void)[] {
  const background = (what: string, act: () => Promise<unknown>) => () =>
    void act().catch((error: unknown) => log.warn({ err: messageOf(error) }, what));
  const reap = background("reaping", async () => {
    await reapAll(database);
    await nodes.sweep();
  });
  return [
    every(reapInterval + Math.random() * 5_000, reap),
    every(loginInterval + Math.random() * 5_000, () => void login.look()),
    every(1_000, () => output.flush()),
  ];
}

/**
 * Tables that this node cannot serve are not touched; somebody else migrates them. Asked again once it is listed: a migration that waits
 * for older nodes to go may have begun in between.
 */
function untilSchemaFits({ nodes, cluster: { heartbeat } }: Assembly, log: pino.Logger): Promise<void> {
  const ask = async () => {
    const problem = whyUnfit(await nodes.schema());
    if (problem !== undefined) throw new Error(problem);
  };
  return persist(log, async () => {
    await ask();
    await heartbeat.writeHeartbeat();
    await ask().catch(async (error: unknown) => {
      await heartbeat.removeRow();
      throw error;
    });
  });
}

/** Until no ACK is under way, in the same turn in which the sockets close; flows that stay keep bringing new ones. */
async function untilForwarded(node: { readonly isForwarding: boolean }): Promise<void> {
  for (let waited = 0; node.isForwarding && waited < farewellPatience; waited += 2) await pause(2);
}

/** No phone is served before the other nodes know this one: half of its answers would have no way back. */
const meetPeers = ({ cluster }: Assembly, log: pino.Logger): Promise<void> =>
  persist(log, async () => {
    await cluster.heartbeat.writeHeartbeat();
    await cluster.heartbeat.pingPeers();
  });

/** Tries until it succeeds, and tells each reason once. */
async function persist(log: pino.Logger, act: () => Promise<void>): Promise<void> {
  for (let said = ""; ; await pause(retryInterval)) {
    try {
      return await act();
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== said) log.warn({ reason }, "not ready");
      said = reason;
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

main().catch((error: unknown) => {
  process.stderr.write(
    `strowger node: ${error instanceof ConfigError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(error instanceof ConfigError ? 78 : 1);
});
