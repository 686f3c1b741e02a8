/**
 * What a request does here: absorbed by its transaction, handed to a peer while this node drains, or new and somebody's to answer, by
 * the method table.
 *
 *   request ─┬─ draining and new here ─► cluster.handOver, which may bring it back
 *            └─ transaction ─┬─ known ─► absorbed there
 *                            ├─ CANCEL, ACK ─► its INVITE, or cluster.offer
 *                            └─ new ─► does a peer hold it? ─► method table ─► registrar · proxy
 */
import { type Answers, plain } from "./answers.ts";
import type { Branches } from "./branches.ts";
import type { Call, Leg, Server } from "./server-context.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { KnownFlow } from "../cluster/flow-directory.ts";
import { callersReason } from "../proxy/cancel-reason.ts";
import { answerOptions, route, routeAck } from "../proxy/proxy.ts";
import type { ProxyHouse, Routing } from "../proxy/routing.ts";
import type { Event } from "../proxy/response-context.ts";
import { register, type RegistrarDependencies } from "../registrar/register.ts";
import type { Telemetry } from "../telemetry/metrics.ts";
import { exchangeKey } from "../transaction/server-key.ts";
import { Timer, TimerWheel } from "../transaction/timer-wheel.ts";
import type { Transactions } from "../transaction/transactions.ts";
import type { Flow } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";
import type { Ms } from "../wire/units.ts";

export interface RequestsHouse extends ProxyHouse, RegistrarDependencies {
  readonly lookup: ProxyHouse["lookup"] & RegistrarDependencies["lookup"];
  readonly cluster: Pick<
    Cluster,
    "mustAskPeers" | "offer" | "releaseFlows" | "markAuthenticated" | "deliver" | "beginHandedOver"
  > & {
    readonly heartbeat: Pick<Cluster["heartbeat"], "isDraining">;
    readonly handOver: Pick<Cluster["handOver"], "start" | "follow" | "isPending">;
  };
  readonly telemetry: Telemetry;
  clock(): Ms;
  /** An error of ours: nothing that a peer sent may end the process, so it is told and the request answered with 500. */
  broken(error: unknown): void;
  isStoreFailure(error: unknown): boolean;
}

export class Requests {
  private readonly house: RequestsHouse;
  private readonly transactions: Transactions<Call, Leg | undefined>;
  private readonly answers: Answers;
  private readonly branches: Branches;
  private readonly advanceCall: (server: Server, event: Event) => void;
  /** ACKs that wait for the database or for the owner of the other phone's flow. */
  private acksUnderWay = 0;
  /** INVITEs that wait for the database or for peers. */
  private readonly waiting: TimerWheel<Call, Server>;

  /** Where a new request goes; every method that is not here is the proxy's. */
  private readonly methods: ReadonlyMap<string, (server: Server, call: Call) => Promise<void>> = new Map([
    ["REGISTER", (server: Server, call: Call) => this.register(server, call)],
    ["OPTIONS", (server: Server, call: Call) => this.options(server, call)],
    ["CANCEL", (server: Server, call: Call) => this.cancel(server, call)],
  ]);

  /** `advanceCall` takes the cancelling of a forwarded INVITE. */
  constructor(
    house: RequestsHouse,
    transactions: Transactions<Call, Leg | undefined>,
    answers: Answers,
    branches: Branches,
    advanceCall: (server: Server, event: Event) => void,
  ) {
    this.house = house;
    this.transactions = transactions;
    this.answers = answers;
    this.branches = branches;
    this.advanceCall = advanceCall;
    this.waiting = new TimerWheel(({ owner, event }) => this.try(event, owner), house.clock());
  }

  advance(now: Ms): void {
    this.waiting.advance(now);
  }

  /** Whether a message that has no transaction is on its way to the other phone. */
  get isForwarding(): boolean {
    return this.acksUnderWay > 0;
  }

  // ── Where it came from ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** A phone sent it to this node. */
  heard(request: Request, bytes: Buffer, flow: Flow, heard: KnownFlow): void {
    if (this.house.cluster.heartbeat.isDraining && !this.isKnown(request, flow))
      return this.handOver(request, bytes, flow, heard);
    this.serve(request, bytes, flow, heard);
  }

  /** A peer heard it; true when it belongs to a transaction of this node, which has dealt with it then (design-sip rule 4). */
  offered(request: Request, bytes: Buffer, flow: Flow): boolean {
    if (this.isHeld(request, flow)) this.serve(request, bytes, flow, undefined);
    else if (this.isBeingHandedOver(request)) this.handOver(request, bytes, flow, undefined);
    else return false;
    return true;
  }

  /** A peer that drains heard it; false when this node takes nothing new either (rule 21). */
  handed(request: Request, bytes: Buffer, flow: Flow, peer: string): boolean {
    const takesNew = !this.house.cluster.heartbeat.isDraining && !this.transactions.isFull;
    if (!takesNew && !this.isKnown(request, flow)) return false;
    this.serve(request, bytes, flow, undefined, peer);
    return true;
  }

  // ── Drain (rule 21) ──────────────────────────────────────────────────────────────────────────────────────────────────────

  private handOver(request: Request, bytes: Buffer, flow: Flow, heard: KnownFlow | undefined): void {
    const { handOver } = this.house.cluster;
    const key = exchangeKey(request);
    const serve = () => this.serve(request, bytes, flow, undefined);
    if (request.method === "CANCEL" || request.method === "ACK")
      void handOver.follow(key, bytes, flow).then((isFollowed) => {
        if (!isFollowed) serve();
      });
    else handOver.start({ key, bytes, flow, isHeld: this.askPeers(request, bytes, flow, heard), serve });
  }

  private isBeingHandedOver(request: Request): boolean {
    const { heartbeat, handOver } = this.house.cluster;
    return heartbeat.isDraining && handOver.isPending(exchangeKey(request));
  }

  // ── Transactions ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Whether it repeats, acknowledges or cancels a transaction of this node. A CANCEL that seeks its INVITE here is none. */
  private isHeld(request: Request, flow: Flow): boolean {
    const { transactions } = this;
    const held =
      request.method === "CANCEL" ? transactions.findInvite(request, flow) : transactions.find(request, flow);
    return held !== undefined;
  }

  private isKnown(request: Request, flow: Flow): boolean {
    return this.isHeld(request, flow) || this.transactions.find(request, flow) !== undefined;
  }

  /** `heard` where peers may have to be asked whether they hold it; `peer` where one handed it over. */
  private serve(
    request: Request,
    bytes: Buffer,
    flow: Flow,
    heard: KnownFlow | undefined,
    peer?: string,
  ): void {
    const received = this.transactions.receiveRequest(request, flow, this.house.clock());
    switch (received) {
      case "absorbed":
        return;
      case "full":
        return this.answers.replyStatelessly(request, flow, request.method, 503, "Service Unavailable");
      case "ack-to-2xx":
        return this.forwardAck(request, flow);
      case "unmatched-ack":
        if (this.answers.isForReplyOnce(request)) return;
        void this.house.cluster.offer(bytes, flow);
        return this.forwardAck(request, flow);
      default: {
        const call = this.answers.open();
        received.context = call;
        if (peer === undefined) this.house.telemetry.asked(call.receivedAt);
        else call.release = this.house.cluster.beginHandedOver(peer);
        call.isTaken = this.askPeers(request, bytes, flow, heard);
        return void this.handle(received, call);
      }
    }
  }

  /** A request on a flow that another node heard lately may repeat one of that node's transactions (rule 4). */
  private askPeers(
    request: Request,
    bytes: Buffer,
    flow: Flow,
    heard: KnownFlow | undefined,
  ): Promise<boolean> | undefined {
    if (heard === undefined || unasked.has(request.method)) return undefined;
    if (heard.announcement === undefined && !this.house.cluster.mustAskPeers(heard)) return undefined;
    return this.isTaken(bytes, flow, heard);
  }

  private async isTaken(bytes: Buffer, flow: Flow, heard: KnownFlow): Promise<boolean> {
    await heard.announcement;
    return this.house.cluster.mustAskPeers(heard) && this.house.cluster.offer(bytes, flow);
  }

  // ── Methods ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The method table, and the one place that turns failures into a 500. */
  private async handle(server: Server, call: Call): Promise<void> {
    try {
      if (call.isTaken !== undefined && (await call.isTaken)) return this.answers.drop(server, call);
      await (this.methods.get(server.request.method) ?? this.proxy)(server, call);
    } catch (error) {
      if (!this.house.isStoreFailure(error)) this.house.broken(error);
      if (!call.hasAnswered) this.answers.reply(server, call, { ...plain(500), lines: "Retry-After: 5\r\n" });
    }
  }

  private async register(server: Server, call: Call): Promise<void> {
    const answer = await register(server.request, server.flow, this.house);
    if (answer.kind === "accept") {
      this.house.cluster.releaseFlows(answer.formerFlows);
      this.house.cluster.markAuthenticated(server.flow, answer.flowExpiresIn * 1000);
    }
    if (answer.status === 401) this.answers.replyOnce(server, call, answer);
    else this.answers.reply(server, call, answer);
    this.house.telemetry.registered(this.house.clock() - call.receivedAt);
  }

  private async options(server: Server, call: Call): Promise<void> {
    const answer = await answerOptions(server.request, this.house);
    if (answer === undefined) await this.proxy(server, call);
    else this.answers.replyOnce(server, call, answer);
  }

  private readonly proxy = async (server: Server, call: Call): Promise<void> => {
    const routing = await this.trying(server, call, route(server.request, server.flow, this.house));
    if (call.hasAnswered) return; // cancelled while the database was asked
    if (routing.kind === "reject" && routing.isUnauthenticated === true && !call.hasTried)
      return this.answers.replyOnce(server, call, routing);
    if (routing.kind === "reject") return this.answers.reply(server, call, routing);
    this.markParties(server.flow, routing);
    this.try(server, call);
    this.branches.fork(server, call, routing);
  };

  /**
   * Both ends are known phones now: the caller by its credentials or by its token, which only the dialog's phones have, the others by
   * their bindings or by that token. A peer's address alone proves nothing, for anybody can write it into a datagram.
   */
  private markParties(from: Flow, { caller, targets }: Routing): void {
    const { cluster } = this.house;
    const hasToken = caller === undefined;
    if (hasToken || !this.house.isPeer(from)) cluster.markAuthenticated(from, authenticatedFor);
    for (const { flow } of targets) cluster.markAuthenticated(flow, authenticatedFor);
  }

  /** Waits, and tells the caller of an INVITE so when it takes longer than 200 ms (§17.2.1). */
  private async trying<T>(server: Server, call: Call, asked: Promise<T>): Promise<T> {
    if (!server.isInvite) return asked;
    const timer = new Timer<Call, Server>(call, server);
    this.waiting.start(timer, server, tryingAfter, this.house.clock());
    try {
      return await asked;
    } finally {
      this.waiting.stop(timer);
    }
  }

  private try(server: Server, call: Call): void {
    if (!server.isInvite || call.hasTried) return;
    call.hasTried = true;
    this.answers.reply(server, call, plain(100));
  }

  /** Nobody repeats an ACK before the 2xx comes again, so that a node does not leave while it looks up where one goes. */
  private forwardAck(request: Request, flow: Flow): void {
    this.acksUnderWay += 1;
    void this.ack(request, flow).finally(() => (this.acksUnderWay -= 1));
  }

  /** An ACK to a 2xx: no transaction; a drop is all there is when it cannot be routed (§16.11, §17). */
  private async ack(request: Request, flow: Flow): Promise<void> {
    const routing = await routeAck(request, this.house);
    const target = routing?.targets[0];
    if (routing === undefined || target === undefined) return;
    this.markParties(flow, routing);
    const copy = this.branches.copyFor(request, flow, target, routing);
    await this.house.cluster.deliver(target, Buffer.from(copy.text, "latin1"));
  }

  // §16.10, §9.2
  private async cancel(server: Server, call: Call): Promise<void> {
    const { request, flow } = server;
    const invite = this.transactions.findInvite(request, flow);
    if (invite === undefined || (await invite.context?.isTaken) === true) {
      const isTaken = await this.house.cluster.offer(Buffer.from(request.text, "latin1"), flow);
      if (isTaken) return this.answers.drop(server, call);
      return this.answers.replyOnce(server, call, plain(481));
    }
    const cancelled = invite.context;
    if (cancelled !== undefined) call.toTag = cancelled.toTag; // one tag for both (§9.2)
    this.answers.reply(server, call, plain(200));
    if (cancelled === undefined || cancelled.hasAnswered) return;
    if (cancelled.context === undefined) return this.answers.reply(invite, cancelled, plain(487));
    this.advanceCall(invite, { kind: "cancel", lines: callersReason(request) });
  }
}

/** A REGISTER that comes twice changes nothing (rule 13); a CANCEL asks for itself. */
const unasked: ReadonlySet<string> = new Set(["REGISTER", "CANCEL"]);
const tryingAfter: Ms = 200;
/** As long as a dialog may be silent: phones refresh their sessions at least twice as often. */
const authenticatedFor: Ms = 3_600_000;
