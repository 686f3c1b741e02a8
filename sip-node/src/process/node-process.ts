/** One run of a node: it starts, serves, drains, and ends the process. `life-cycle.ts` has the stages. */
import type { Server } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { clock, every, loopUse } from "../adapters/clock.ts";
import { isFromLoopback, serveHttp } from "../adapters/http.ts";
import { watchFolders } from "../adapters/watch-folders.ts";
import type { Settings } from "../config/config.ts";
import { LiveSettings, type LiveSettingsObserver } from "../config/live-settings.ts";
import type { Ms } from "../wire/units.ts";
import type { Assembly } from "./assembly.ts";
import { controlRoutes, publicRoutes, type RoutesDependencies, type Status } from "./http-routes.ts";
import { meetPeers, waitForSchema } from "./join-cluster.ts";
import { LifeCycle } from "./life-cycle.ts";
import type { NodeLog } from "./log.ts";
import { messageOf } from "./message-of.ts";
import { startPeriodicTasks } from "./periodic-tasks.ts";
import { closeSockets, openPhoneSocket, openStreams, type Sockets } from "./sockets.ts";

/** A timer is late by at most this and one tick of its wheel. */
const tickInterval: Ms = 20;
/** Not every file system reports changes: the files are read again after this time. */
const rereadInterval: Ms = 10_000;
/** The longest wait for each of the last steps: the row in the database, ACKs, open connections. */
const shutdownTimeout: Ms = 2_000;
/** How long a node that starts reads users and bindings into its copy, at most. */
const warmTimeout: Ms = 10_000;

export interface NodeProcessDependencies {
  readonly id: string;
  readonly version: string;
  /** In force at start. */
  readonly settings: Settings;
  /** Reads the settings again. Throws `ConfigError`. */
  readonly readSettings: () => Settings;
  /** The folders of the files that `readSettings` reads. */
  readonly folders: readonly string[];
  readonly sockets: Sockets;
  readonly assembly: Assembly;
  readonly output: NodeLog;
  exit(): void;
}

export class NodeProcess {
  private readonly deps: NodeProcessDependencies;
  private readonly assembly: Assembly;
  private readonly life = new LifeCycle();
  private readonly settings: LiveSettings;
  private readonly stops: (() => void)[] = [];
  private servers: readonly Server[] = [];
  private tickedAt: Ms = clock.now();
  private loopUse = loopUse();
  private isMember = false;
  private commits: "open" | "ending" | "ended" = "open";

  constructor(deps: NodeProcessDependencies) {
    this.deps = deps;
    this.assembly = deps.assembly;
    this.settings = this.createLiveSettings();
  }

  /** Resolves when phones are served. Rejects if an address cannot be bound. */
  async start(): Promise<void> {
    this.stops.push(watchFolders(this.deps.folders, rereadInterval, () => this.settings.reread()));
    this.servers = await this.serveHttp();
    this.receive();
    this.stops.push(startPeriodicTasks(this.assembly, this.deps.output));
    this.stops.push(this.startTicking());
    await this.join();
    await this.serve();
  }

  /** `why` is logged. */
  drain(why: string): void {
    if (!this.life.drain(clock.now())) return;
    const { node, telemetry, cluster } = this.assembly;
    const { drainTimeout } = this.settings.config;
    this.log.info({ why, transactions: node.transactions.counts, timeout: drainTimeout }, "draining");
    telemetry.drainingChanged(true);
    cluster.heartbeat.drain();
    this.deps.sockets.streams?.stopAccepting();
  }

  /** A person waits at the terminal: only phones that wait for a final response are waited for. */
  hurry(): void {
    this.life.hurry(clock.now());
    this.drain("SIGINT");
  }

  private get log() {
    return this.deps.output.log;
  }

  // ── Start ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private createLiveSettings(): LiveSettings {
    const { settings, readSettings, assembly } = this.deps;
    const apply = (next: Settings) => assembly.apply(next);
    return new LiveSettings(settings, { read: readSettings, apply, observer: this.observeSettings() });
  }

  private observeSettings(): LiveSettingsObserver {
    const { telemetry } = this.assembly;
    return {
      refused: (problems) => {
        telemetry.configurationRead(problems.length, this.settings.report.restarts.length);
        this.log.error({ problems }, "configuration refused, the last valid one stays in force");
      },
      applied: ({ hash }, restarts) => {
        telemetry.configurationRead(0, restarts.length);
        this.log.info({ hash }, "configuration in force");
        if (restarts.length > 0)
          this.log.warn({ waiting: restarts }, "configuration: these settings need a restart");
      },
    };
  }

  /** The control port accepts requests from this host only. In Kubernetes RBAC decides who may forward a port to it. */
  private serveHttp(): Promise<Server[]> {
    const { config } = this.deps.settings;
    const routes: RoutesDependencies = {
      status: () => this.status(),
      sinceTick: () => clock.now() - this.tickedAt,
      metrics: () => this.metrics(),
      drain: () => this.drain("POST /drain"),
    };
    return Promise.all([
      serveHttp(config.http, publicRoutes(routes)),
      serveHttp(config.control, controlRoutes(routes), isFromLoopback),
    ]);
  }

  private receive(): void {
    const { node, cluster } = this.assembly;
    const { direct, peers } = this.deps.sockets;
    direct.receiveText((text, flow) => this.guard(() => node.receiveDirectDatagram(text, flow)));
    peers.receiveBytes((bytes, { address, port }) =>
      this.guard(() => cluster.receive(bytes, { host: address, port })),
    );
  }

  private startTicking(): () => void {
    return every(
      tickInterval,
      () => this.guard(() => this.tick()),
      (lateness) => this.measureLoad(lateness),
    );
  }

  private async join(): Promise<void> {
    await waitForSchema(this.assembly, this.log);
    this.isMember = true;
    await meetPeers(this.assembly, this.log);
    await this.warm();
  }

  /** A node that cannot read all users serves too: it reads them when it needs them. */
  private async warm(): Promise<void> {
    const { location } = this.assembly;
    const startedAt = clock.now();
    await location.warm(warmTimeout).catch((error: unknown) => {
      this.log.warn({ err: messageOf(error) }, "cannot read all users and bindings before the start");
    });
    this.log.info({ ...location.copied, took: Math.round(clock.now() - startedAt) }, "copied");
  }

  private async serve(): Promise<void> {
    const { sockets, settings, version } = this.deps;
    const { sip, http } = settings.config;
    const phones = await openPhoneSocket(settings.config, this.log);
    sockets.phones = phones;
    const { node, cluster } = this.assembly;
    phones.receiveText((text, flow) => this.guard(() => node.receiveDatagram(text, flow)));
    sockets.streams = await openStreams(settings.config, phones.port, {
      now: clock.now,
      message: (text, flow) => this.guard(() => node.receiveDatagram(text, flow)),
      closed: (flow) => cluster.closeFlow(flow),
      isAuthenticated: (flow) => cluster.isAuthenticated(flow),
    });
    this.life.serve();
    const { listen, advertise } = sip;
    const { engine: udp } = phones;
    const tcp = sockets.streams?.port;
    this.log.info({ sip: listen, advertise, cluster: sockets.peers.port, http, udp, tcp, version }, "ready");
  }

  // ── While it runs ────────────────────────────────────────────────────────────────────────────────────────────────────────

  private tick(): void {
    const { node, cluster, location } = this.assembly;
    this.tickedAt = clock.now();
    location.advance(this.tickedAt);
    node.tick();
    if (this.isMember) cluster.tick();
    const work = {
      isDrained: this.life.isDraining && node.isDrained,
      owesAnswers: node.hasOpenRequests,
    };
    if (!this.life.mayLeave(this.tickedAt, this.settings.config.drainTimeout, work)) return;
    if (this.commits === "ended") this.leaveWithoutConnections();
    else if (this.commits === "open") void this.endCommits();
  }

  private measureLoad(lateness: Ms): void {
    const { eventLoopLag, overload } = this.assembly;
    const since = this.loopUse;
    this.loopUse = loopUse();
    eventLoopLag.add(lateness);
    overload.load.add(lateness, loopUse(this.loopUse, since).utilization, clock.now());
  }

  /** An error of one datagram or tick ends nothing. */
  private guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.assembly.reportInternalError(error);
    }
  }

  private status(): Status {
    const { id, version, settings } = this.deps;
    const { node, cluster } = this.assembly;
    const { problems, restarts } = this.settings.report;
    return {
      node: id,
      name: settings.config.name,
      version,
      stage: this.life.stage,
      ready: this.life.isReady,
      draining: this.life.isDraining,
      transactions: node.transactions.counts,
      servingPeers: cluster.membership.serving(clock.now()).length,
      configurationHash: this.settings.hash,
      configurationProblems: problems,
      configurationRestarts: restarts,
    };
  }

  private async metrics() {
    const { registry } = this.assembly.telemetry;
    return { type: registry.contentType, text: await registry.metrics() };
  }

  // ── Exit ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Phones with a connection connect to other nodes first. What they send meanwhile is served. */
  private leaveWithoutConnections(): void {
    const { streams } = this.deps.sockets;
    streams?.closeInTurn();
    if (streams === undefined || streams.size === 0) void this.leave();
  }

  private async leave(): Promise<void> {
    const { node, cluster, database } = this.assembly;
    for (const stop of this.stops) stop();
    this.log.info({ transactions: node.transactions.counts, isDrained: node.isDrained }, "stopped");
    await Promise.race([cluster.heartbeat.removeRow(), pause(shutdownTimeout)]).catch(() => {});
    cluster.heartbeat.leave();
    await this.untilForwarded();
    this.closeHttp();
    await closeSockets(this.deps.sockets);
    await Promise.race([database.close(), pause(shutdownTimeout)]);
    this.deps.output.flushSync();
    this.deps.exit();
  }

  /**
   * No commit begins any more. When the last one is announced, peers learn that nothing of this node is missing. The node works on meanwhile, so
   * afterwards it may have work again, which it finishes before it leaves.
   */
  private async endCommits(): Promise<void> {
    this.commits = "ending";
    const { heartbeat, copyProtocol } = this.assembly.cluster;
    copyProtocol.leases.gate.leave();
    for (let waited = 0; !copyProtocol.isQuiet && waited < shutdownTimeout; waited += 2) await pause(2);
    if (copyProtocol.isQuiet && this.isMember) await heartbeat.sayFarewell();
    this.commits = "ended";
  }

  /** Until no ACK is being forwarded. The sockets close in the same turn of the event loop, because phones keep sending. */
  private async untilForwarded(): Promise<void> {
    const { node } = this.assembly;
    for (let waited = 0; node.isForwarding && waited < shutdownTimeout; waited += 2) await pause(2);
  }

  private closeHttp(): void {
    for (const server of this.servers) {
      server.close();
      server.closeAllConnections();
    }
  }
}
