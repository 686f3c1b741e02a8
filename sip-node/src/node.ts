/**
 * The floor plan of a SIP node: which room a message enters, in which order, and what is done with what the room says. Everything here
 * happens in one turn of the event loop but the questions to the database and to peers.
 *
 *   datagram ─► cluster.hear ─► wire ─┬─ response ─► transaction ─► response-context ─► effects
 *                                     │                  └─ not ours ─► cluster.passOn
 *                                     └─ request ──► transaction ─┬─ known ─► absorbed there
 *                                                                 ├─ CANCEL, ACK ─► its INVITE, or cluster.offer
 *                                                                 └─ new ─► method table ─► registrar · proxy ─► effects
 *   effects ──► reply · relay · branch · cancel ─► transaction ─► cluster.deliver ─► bytes
 */
import { Answers, type AnswersHouse, plain, whereItCameFrom } from "./answers.ts";
import { Branches, type BranchesHouse } from "./branches.ts";
import type { Call, Client, Leg, Server } from "./call.ts";
import type { Cluster } from "./cluster/cluster.ts";
import type { HeardFlow } from "./cluster/flow-directory.ts";
import { readBranch } from "./proxy/branch.ts";
import { answerOptions, type ProxyHouse, route, routeAck } from "./proxy/proxy.ts";
import { type Effect, type Event, step } from "./proxy/response-context.ts";
import { register, type RegistrarHouse } from "./registrar/register.ts";
import { Timer, TimerWheel } from "./transaction/timer-wheel.ts";
import { type TransactionUser, Transactions } from "./transaction/transactions.ts";
import type { Flow } from "./wire/flow.ts";
import type { Request, Response } from "./wire/message.ts";
import { type Malformed, parseMessage } from "./wire/parse-message.ts";
import type { Ms } from "./wire/units.ts";

export interface NodeHouse extends ProxyHouse, RegistrarHouse, AnswersHouse, BranchesHouse {
  readonly lookup: ProxyHouse["lookup"] & RegistrarHouse["lookup"];
  readonly cluster: Pick<Cluster, "hear" | "deliver" | "isContested" | "offer" | "passOn" | "moved">;
  /** An error of ours: nothing that a peer sent may end the process, so it is told and the request answered with 500. */
  broken(error: unknown): void;
  isStoreFailure(error: unknown): boolean;
}

export class Node implements TransactionUser<Call, Leg | undefined> {
  readonly transactions: Transactions<Call, Leg | undefined>;
  private readonly answers: Answers;
  private readonly branches: Branches;
  private readonly house: NodeHouse;
  /** INVITEs that wait for the database or for peers. */
  private readonly waiting: TimerWheel<Call, Server>;

  /** Where a new request goes; every method that is not here is the proxy's. */
  private readonly methods: Readonly<Record<string, (server: Server, call: Call) => Promise<void>>> = {
    REGISTER: (server, call) => this.register(server, call),
    OPTIONS: (server, call) => this.options(server, call),
    CANCEL: (server, call) => this.cancel(server, call),
  };

  constructor(house: NodeHouse) {
    this.house = house;
    this.transactions = new Transactions(this, house.clock());
    this.answers = new Answers(house, this.transactions);
    this.waiting = new TimerWheel(({ owner, event }) => this.try(event, owner), house.clock());
    this.branches = new Branches(house, this.transactions, (server, event) => this.advance(server, event));
  }

  tick(): void {
    const now = this.house.clock();
    this.transactions.advance(now);
    this.branches.advance(now);
    this.waiting.advance(now);
  }

  /** Whether some request of a phone waits for its final response. */
  hasOpenRequests(): boolean {
    return this.answers.areOwed;
  }

  // ── Datagrams ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A datagram of a phone. */
  datagram(bytes: Buffer, flow: Flow): void {
    const heard = this.house.cluster.hear(flow);
    const text = bytes.toString("latin1");
    if (isKeepalive(text)) {
      if (text.length >= 4) void this.house.cluster.deliver(whereItCameFrom(flow), crlf);
      return;
    }
    const message = parseMessage(text);
    switch (message.kind) {
      case "malformed":
        return this.malformed(message, flow);
      case "response":
        return this.upstream(message, bytes, flow);
      case "request":
        this.house.telemetry.request(message.method);
        return this.request(message, bytes, flow, heard);
    }
  }

  /**
   * A datagram to the second socket, which makes nobody the owner of a flow: the answer of a phone that was reached directly (rule 7).
   * No phone asks there; to whom else does, an answer would find no way and wait for one.
   */
  directDatagram(bytes: Buffer, flow: Flow): void {
    const message = parseMessage(bytes.toString("latin1"));
    if (message.kind === "response") this.upstream(message, bytes, flow);
  }

  /** A response that a peer got for a transaction of this node. */
  relayedResponse(bytes: Buffer): void {
    const message = parseMessage(bytes.toString("latin1"));
    if (message.kind === "response") this.transactions.receiveResponse(message, this.house.clock());
  }

  /** A request that a peer got; true when it belongs to a transaction of this node, which has dealt with it then. */
  offered(bytes: Buffer, flow: Flow): boolean {
    const message = parseMessage(bytes.toString("latin1"));
    if (message.kind !== "request") return false;
    const known =
      message.method === "CANCEL" ? this.transactions.findInvite(message) : this.transactions.find(message);
    if (known === undefined) return false;
    this.request(message, bytes, flow, undefined);
    return true;
  }

  private malformed(message: Malformed, flow: Flow): void {
    this.house.telemetry.malformed();
    const { method, via, problem } = message;
    if (method === undefined || method === "ACK" || via === undefined) return;
    this.answers.replyStatelessly(
      { text: message.text, fields: message.fields, via },
      flow,
      method,
      problem.status,
      problem.reason,
    );
  }

  // ── Requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private request(request: Request, bytes: Buffer, flow: Flow, heard: HeardFlow | undefined): void {
    const received = this.transactions.receiveRequest(request, flow, this.house.clock());
    switch (received) {
      case "absorbed":
        return;
      case "full":
        return this.answers.replyStatelessly(request, flow, request.method, 503, "Service Unavailable");
      case "ack-to-2xx":
        return void this.ack(request, flow);
      case "unmatched-ack":
        if (this.answers.isForReplyOnce(request)) return;
        void this.house.cluster.offer(bytes, flow);
        return void this.ack(request, flow);
      default: {
        const call = this.answers.open();
        received.context = call;
        if (heard !== undefined && !unasked.has(request.method) && this.mayBeHeld(heard))
          call.isTaken = this.isTaken(bytes, flow, heard);
        return void this.handle(received, call);
      }
    }
  }

  private mayBeHeld(heard: HeardFlow): boolean {
    return heard.introduction !== undefined || this.house.cluster.isContested(heard);
  }

  /** A request on a flow that another node heard lately may repeat one of that node's transactions (design-sip rule 4). */
  private async isTaken(bytes: Buffer, flow: Flow, heard: HeardFlow): Promise<boolean> {
    await heard.introduction;
    return this.house.cluster.isContested(heard) && this.house.cluster.offer(bytes, flow);
  }

  /** The method table, and the one place that turns failures into a 500. */
  private async handle(server: Server, call: Call): Promise<void> {
    try {
      if (call.isTaken !== undefined && (await call.isTaken)) return this.answers.drop(server, call);
      await (this.methods[server.request.method] ?? this.proxy)(server, call);
    } catch (error) {
      if (!this.house.isStoreFailure(error)) this.house.broken(error);
      if (!call.hasAnswered) this.answers.reply(server, call, { ...plain(500), lines: "Retry-After: 5\r\n" });
    }
  }

  private async register(server: Server, call: Call): Promise<void> {
    const answer = await register(server.request, server.flow, this.house);
    if (answer.kind === "accept") this.house.cluster.moved(answer.left);
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
    if (routing.kind === "reject" && routing.isToStranger === true && !call.hasTried)
      return this.answers.replyOnce(server, call, routing);
    if (routing.kind === "reject") return this.answers.reply(server, call, routing);
    this.try(server, call);
    this.branches.fork(server, call, routing);
  };

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

  /** An ACK to a 2xx: no transaction; a drop is all there is when it cannot be routed (§16.11, §17). */
  private async ack(request: Request, flow: Flow): Promise<void> {
    const routing = await routeAck(request, this.house);
    const target = routing?.targets[0];
    if (routing === undefined || target === undefined) return;
    const copy = this.branches.copyFor(request, flow, target, routing);
    await this.house.cluster.deliver(target, Buffer.from(copy.text, "latin1"));
  }

  // §16.10, §9.2
  private async cancel(server: Server, call: Call): Promise<void> {
    const { request, flow } = server;
    const invite = this.transactions.findInvite(request);
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
    this.advance(invite, { kind: "cancel" });
  }

  // ── Responses ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private upstream(response: Response, bytes: Buffer, flow: Flow): void {
    if (this.transactions.receiveResponse(response, this.house.clock())) return;
    const branch = readBranch(response.via.branch);
    if (branch === undefined || branch.node === this.house.node) return;
    if (this.house.cluster.passOn(branch.node, bytes, flow)) return;
    this.answers.relayOrphan(response);
  }

  // ── Transaction user ─────────────────────────────────────────────────────────────────────────────────────────────────────

  send(bytes: Uint8Array, flow: Flow, message: "request" | "response", transaction: Server | Client): void {
    const leg = message === "request" ? (transaction as Client).context : undefined;
    const pending = this.house.cluster.deliver(leg?.target ?? whereItCameFrom(flow), bytes);
    void pending?.then((isSent) => {
      if (!isSent) this.transactions.transportFailed(transaction, this.house.clock());
    });
  }

  response(client: Client, response: Response, now: Ms): void {
    const leg = client.context;
    if (leg === undefined) return; // the answer to our CANCEL
    this.branches.heard(leg, response, now);
    this.advance(leg.server, { kind: "response", branch: leg.at, response });
  }

  clientFailed(client: Client, cause: "timeout" | "transport"): void {
    const leg = client.context;
    if (leg === undefined) return;
    this.branches.ended(leg);
    this.advance(leg.server, { kind: "failure", branch: leg.at, status: cause === "timeout" ? 408 : 480 });
  }

  // ── Effects ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private advance(server: Server, event: Event): void {
    const call = server.context;
    if (call?.context === undefined) return;
    const next = step(call.context, event);
    call.context = next.context;
    for (const effect of next.effects) this.act(server, call, effect);
  }

  private act(server: Server, call: Call, effect: Effect): void {
    switch (effect.kind) {
      case "relay":
        return this.answers.relay(server, call, effect.response, effect.also);
      case "reply":
        return this.answers.reply(server, call, plain(effect.status));
      case "cancel": {
        const leg = call.legs[effect.branch];
        return leg === undefined ? undefined : this.branches.cancel(leg, this.house.clock());
      }
      case "give-up":
        return this.answers.drop(server, call);
    }
  }
}

/** A REGISTER that comes twice changes nothing (rule 13); a CANCEL asks for itself. */
const unasked: ReadonlySet<string> = new Set(["REGISTER", "CANCEL"]);
const crlf = Buffer.from("\r\n");
const tryingAfter: Ms = 200;

/** CRLFs alone keep an address translator's entry alive; two of them ask for one back (RFC 5626 §4.4.1). */
const isKeepalive = (text: string): boolean => text.length <= 8 && /^[\r\n\0]*$/.test(text);
