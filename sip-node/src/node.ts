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
import type { Call, Client, LegEvent, Server } from "./call.ts";
import { Leg } from "./call.ts";
import type { Cluster } from "./cluster/cluster.ts";
import type { HeardFlow } from "./cluster/flow-directory.ts";
import { isOwnBranch, makeBranch, readBranch } from "./proxy/branch.ts";
import { buildCancel } from "./proxy/build-cancel.ts";
import { sealToken } from "./proxy/flow-token.ts";
import { forward, mayFoundDialog } from "./proxy/forward.ts";
import { answerOptions, type ProxyHouse, route, routeAck, type Routing } from "./proxy/proxy.ts";
import type { Rejection } from "./proxy/rejection.ts";
import { type Effect, type Event, responseContext, step } from "./proxy/response-context.ts";
import type { Target } from "./proxy/targets.ts";
import { register, type RegistrarHouse } from "./registrar/register.ts";
import type { Telemetry } from "./telemetry/metrics.ts";
import { type TransactionUser, Transactions } from "./transaction/transactions.ts";
import { TimerWheel } from "./transaction/timer-wheel.ts";
import { type Answerable, buildResponse } from "./wire/build-response.ts";
import { applyEdits, removeTopVia } from "./wire/edits.ts";
import { type Flow, flowOf } from "./wire/flow.ts";
import type { Request, Response } from "./wire/message.ts";
import { parseList } from "./wire/list-values.ts";
import { type Malformed, parseMessage } from "./wire/parse-message.ts";
import { isProblem } from "./wire/problem.ts";
import type { Seal } from "./wire/seal.ts";
import type { Ms } from "./wire/units.ts";
import { parseVia } from "./wire/via.ts";

export interface NodeHouse extends ProxyHouse, RegistrarHouse {
  readonly lookup: ProxyHouse["lookup"] & RegistrarHouse["lookup"];
  /** Seals branches. */
  readonly branchSeal: Seal;
  readonly cluster: Cluster;
  readonly telemetry: Telemetry;
  clock(): Ms;
  /** One line for each event. */
  log(event: string, fields: Readonly<Record<string, unknown>>): void;
  /** An error of ours: nothing that a peer sent may end the process, so it is told and the request answered with 500. */
  broken(error: unknown): void;
  isStoreFailure(error: unknown): boolean;
}

/** Timer C (RFC 3261 §16.6 step 11): more than three minutes without any response but 100. */
const timerC: Ms = 185_000;
/** A cancelled branch without a final response is given up (§9.1): 64 T1. */
const cancelPatience: Ms = 32_000;

const respond500 = {
  kind: "reject",
  status: 500,
  reason: "Server Internal Error",
  lines: "Retry-After: 5\r\n",
} as const;

export class Node implements TransactionUser<Call, Leg | undefined> {
  readonly transactions: Transactions<Call, Leg | undefined>;
  private readonly timers: TimerWheel<Leg, LegEvent>;
  private readonly house: NodeHouse;
  private branchNumber = 0;
  private tagNumber = 0;
  private openRequests = 0;

  /** Where a new request goes; every method that is not here is the proxy's. */
  private readonly methods: Readonly<Record<string, (server: Server, call: Call) => Promise<void>>> = {
    REGISTER: (server, call) => this.register(server, call),
    OPTIONS: (server, call) => this.options(server, call),
  };

  constructor(house: NodeHouse) {
    this.house = house;
    this.transactions = new Transactions(this, house.clock());
    this.timers = new TimerWheel((timer, now) => this.legTimer(timer.owner, timer.event, now), house.clock());
  }

  tick(): void {
    const now = this.house.clock();
    this.transactions.advance(now);
    this.timers.advance(now);
  }

  /** Whether some request of a phone waits for its final response. */
  hasOpenRequests(): boolean {
    return this.openRequests > 0;
  }

  // ── Datagrams ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A datagram of a phone. `isDirect`: it came to the second socket, which makes nobody the owner of a flow (rule 7). */
  datagram(bytes: Buffer, flow: Flow, isDirect = false): void {
    const heard = isDirect ? undefined : this.house.cluster.hear(flow);
    const text = bytes.toString("latin1");
    if (isKeepalive(text)) {
      if (text.length >= 4) void this.house.cluster.deliver({ flow, isBehindNat: true, ownerNode: "" }, crlf);
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
    this.replyStatelessly(
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
        return this.replyStatelessly(request, flow, request.method, 503, "Service Unavailable");
      case "ack-to-2xx":
        return void this.ack(request, flow);
      case "unmatched-ack":
        void this.house.cluster.offer(bytes, flow);
        return void this.ack(request, flow);
      default: {
        const call: Call = {
          receivedAt: this.house.clock(),
          toTag: this.newTag(),
          context: undefined,
          legs: [],
          hasAnswered: false,
          hasRung: false,
        }; // prettier-ignore
        received.context = call;
        this.openRequests += 1;
        if (request.method === "CANCEL") return void this.cancel(received, call, bytes);
        if (heard !== undefined && request.method !== "REGISTER" && this.mayBeHeld(heard))
          return void this.askPeersFirst(received, call, bytes, heard);
        return void this.handle(received, call);
      }
    }
  }

  private mayBeHeld(heard: HeardFlow): boolean {
    return heard.introduction !== undefined || this.house.cluster.isContested(heard);
  }

  /** A request on a flow that another node heard lately may repeat one of that node's transactions (design-sip rule 4). */
  private async askPeersFirst(server: Server, call: Call, bytes: Buffer, heard: HeardFlow): Promise<void> {
    await heard.introduction;
    const isTaken =
      this.house.cluster.isContested(heard) && (await this.house.cluster.offer(bytes, server.flow));
    if (isTaken) this.drop(server, call);
    else await this.handle(server, call);
  }

  /** The method table, and the one place that turns failures into a 500. */
  private async handle(server: Server, call: Call): Promise<void> {
    try {
      await (this.methods[server.request.method] ?? this.proxy)(server, call);
    } catch (error) {
      if (!this.house.isStoreFailure(error)) this.house.broken(error);
      this.reply(server, call, respond500);
    }
  }

  private async register(server: Server, call: Call): Promise<void> {
    const answer = await register(server.request, server.flow, this.house);
    if (answer.kind === "accept") this.house.cluster.moved(answer.left);
    this.reply(server, call, answer);
    this.house.telemetry.registered(this.house.clock() - call.receivedAt);
  }

  private async options(server: Server, call: Call): Promise<void> {
    const answer = await answerOptions(server.request, this.house);
    if (answer === undefined) await this.proxy(server, call);
    else this.reply(server, call, answer);
  }

  private readonly proxy = async (server: Server, call: Call): Promise<void> => {
    const routing = await route(server.request, server.flow, this.house);
    if (call.hasAnswered) return; // cancelled while the database was asked
    if (routing.kind === "reject") return this.reply(server, call, routing);
    if (server.isInvite) this.reply(server, call, { status: 100, reason: "Trying", lines: "" });
    this.fork(server, call, routing);
  };

  // §16.6: a branch for each target
  private fork(server: Server, call: Call, routing: Routing): void {
    call.context = responseContext(server.isInvite, routing.targets);
    call.legs = routing.targets.map(
      (target, at) => new Leg(server, at, target, this.copyFor(server.request, server.flow, target, routing)),
    );
    this.house.telemetry.forwarded(this.house.clock() - call.receivedAt);
    for (const leg of call.legs) this.start(leg);
  }

  private copyFor(
    request: Request,
    source: Flow,
    target: Target,
    routing: Routing,
  ): { branch: string; text: string } {
    const { loop, caller, edits, maxForwards } = routing;
    this.branchNumber += 1;
    const branch = makeBranch(
      this.house.node,
      this.branchNumber,
      loop,
      request.callId,
      source,
      this.house.branchSeal,
    );
    const recordRoute =
      caller !== undefined && mayFoundDialog(request)
        ? sealToken({ caller, callee: target }, request.callId, request.from.tag ?? "", this.house.tokenSeal)
        : undefined;
    const input = { request, source, edits, maxForwards, target: target.uri, branch, recordRoute };
    return { branch, text: forward(input, this.house.addresses) };
  }

  private start(leg: Leg): void {
    const { server, target, branch } = leg;
    const now = this.house.clock();
    const bytes = Buffer.from(leg.text, "latin1");
    leg.client = this.transactions.request(server.request.method, branch, bytes, target.flow, leg, now);
    if (leg.client === undefined)
      return this.advance(server, { kind: "failure", branch: leg.at, status: 503 });
    if (server.isInvite) this.timers.start(leg.timer, "Timer C", timerC, now);
  }

  /** An ACK to a 2xx: no transaction; a drop is all there is when it cannot be routed (§16.11, §17). */
  private async ack(request: Request, flow: Flow): Promise<void> {
    const routing = await routeAck(request, this.house);
    const target = routing?.targets[0];
    if (routing === undefined || target === undefined) return;
    const copy = this.copyFor(request, flow, target, routing);
    await this.house.cluster.deliver(target, Buffer.from(copy.text, "latin1"));
  }

  // §16.10, §9.2
  private async cancel(server: Server, call: Call, bytes: Buffer): Promise<void> {
    const invite = this.transactions.findInvite(server.request);
    if (invite === undefined) {
      const isTaken = await this.house.cluster.offer(bytes, server.flow);
      if (isTaken) return this.drop(server, call);
      return this.reply(server, call, { status: 481, reason: "Call/Transaction Does Not Exist", lines: "" });
    }
    this.reply(server, call, { status: 200, reason: "OK", lines: "" });
    const cancelled = invite.context;
    if (cancelled === undefined || cancelled.hasAnswered) return;
    if (cancelled.context === undefined) return this.reply(invite, cancelled, requestTerminated);
    this.advance(invite, { kind: "cancel" });
  }

  // ── Responses ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private upstream(response: Response, bytes: Buffer, flow: Flow): void {
    if (this.transactions.receiveResponse(response, this.house.clock())) return;
    const branch = readBranch(response.via.branch);
    if (branch === undefined || branch.node === this.house.node) return;
    if (this.house.cluster.passOn(branch.node, bytes, flow)) return;
    this.orphan(response);
  }

  /** A 2xx to an INVITE whose node died must still reach the caller, or the callee talks to nobody (design-sip rule 3). */
  private orphan(response: Response): void {
    if (response.cseq.method !== "INVITE" || response.status < 200 || response.status > 299) return;
    const vias = parseList(response, "via", parseVia);
    const caller = isProblem(vias) ? undefined : vias[1];
    if (caller?.received === undefined || typeof caller.rport !== "number") return;
    const flow = flowOf(caller.received, caller.rport);
    if (!isOwnBranch(response.via.branch ?? "", response.callId, flow.key, this.house.branchSeal)) return;
    void this.house.cluster.deliver({ flow, isBehindNat: true, ownerNode: "" }, withoutOurVia(response));
  }

  // ── Transaction user ─────────────────────────────────────────────────────────────────────────────────────────────────────

  send(bytes: Uint8Array, flow: Flow, message: "request" | "response", transaction: Server | Client): void {
    const leg = message === "request" ? (transaction as Client).context : undefined;
    const pending = this.house.cluster.deliver(
      leg?.target ?? { flow, isBehindNat: true, ownerNode: "" },
      bytes,
    );
    void pending?.then((isSent) => {
      if (!isSent) this.transactions.transportFailed(transaction, this.house.clock());
    });
  }

  response(client: Client, response: Response, now: Ms): void {
    const leg = client.context;
    if (leg === undefined) return; // the answer to our CANCEL
    if (
      response.status > 100 &&
      response.status < 200 &&
      leg.timer.event === "Timer C" &&
      leg.timer.isRunning
    )
      this.timers.start(leg.timer, "Timer C", timerC, now);
    if (response.status >= 200) this.timers.stop(leg.timer);
    this.advance(leg.server, { kind: "response", branch: leg.at, response });
  }

  clientFailed(client: Client, cause: "timeout" | "transport"): void {
    const leg = client.context;
    if (leg === undefined) return;
    this.timers.stop(leg.timer);
    this.advance(leg.server, { kind: "failure", branch: leg.at, status: cause === "timeout" ? 408 : 480 });
  }

  private legTimer(leg: Leg, event: LegEvent, now: Ms): void {
    if (event === "Timer C" && leg.client?.hasProvisional === true) return this.cancelLeg(leg, now); // §16.8
    leg.client?.terminate();
    this.advance(leg.server, { kind: "failure", branch: leg.at, status: event === "Timer C" ? 408 : 487 });
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
        return this.relay(server, call, effect.response, effect.also);
      case "reply":
        return this.reply(server, call, {
          status: effect.status,
          reason: reasonPhrase(effect.status),
          lines: "",
        });
      case "cancel": {
        const leg = call.legs[effect.branch];
        return leg === undefined ? undefined : this.cancelLeg(leg, this.house.clock());
      }
      case "give-up":
        return this.drop(server, call);
    }
  }

  private cancelLeg(leg: Leg, now: Ms): void {
    const invite = parseMessage(leg.text);
    if (invite.kind !== "request") return;
    const bytes = Buffer.from(buildCancel(invite), "latin1");
    this.timers.start(leg.timer, "CANCEL unanswered", cancelPatience, now);
    this.transactions.request("CANCEL", leg.branch, bytes, leg.target.flow, undefined, now);
  }

  /** A branch's response on its way up (§16.7 steps 3 and 9). */
  private relay(server: Server, call: Call, response: Response, also: readonly Response[]): void {
    const bytes = withoutOurVia(response, also);
    this.report(server, call, response.status);
    if (this.transactions.respond(server, response.status, bytes, this.house.clock())) return;
    // A 2xx after another final response went up has no transaction any more and goes up all the same (step 5)
    if (response.status < 300)
      void this.house.cluster.deliver({ flow: server.flow, isBehindNat: true, ownerNode: "" }, bytes);
  }

  /** A response of our own. */
  private reply(server: Server, call: Call, answer: Pick<Rejection, "status" | "reason" | "lines">): void {
    const { status, reason, lines } = answer;
    const toTag = status === 100 ? undefined : call.toTag;
    const text = buildResponse(server.request, server.flow, status, reason, toTag, lines);
    this.report(server, call, status);
    this.transactions.respond(server, status, Buffer.from(text, "latin1"), this.house.clock());
  }

  private replyStatelessly(
    request: Answerable,
    flow: Flow,
    method: string,
    status: number,
    reason: string,
  ): void {
    if (method === "ACK") return;
    const text = buildResponse(request, flow, status, reason, this.newTag());
    this.house.telemetry.response(method, status);
    void this.house.cluster.deliver({ flow, isBehindNat: true, ownerNode: "" }, Buffer.from(text, "latin1"));
  }

  /** The one place that reports what became of a request. */
  private report(server: Server, call: Call, status: number): void {
    const { telemetry } = this.house;
    const { method, callId, from, to } = server.request;
    telemetry.response(method, status);
    const duration = this.house.clock() - call.receivedAt;
    if (server.isInvite && status > 100 && status < 200 && !call.hasRung) {
      call.hasRung = true;
      telemetry.ringing(duration);
    }
    if (status < 200) return;
    if (server.isInvite && !call.hasAnswered && status !== 407) telemetry.inviteAnswered(duration);
    this.close(call);
    if (status !== 401 && status !== 407)
      this.house.log("request", {
        method,
        status,
        callId,
        from: from.uri,
        to: to.uri,
        source: server.flow.key,
        ms: Math.round(duration),
      });
  }

  private close(call: Call): void {
    if (!call.hasAnswered) this.openRequests -= 1;
    call.hasAnswered = true;
  }

  /** Ends a request without an answer of this node. */
  private drop(server: Server, call: Call): void {
    this.close(call);
    server.terminate();
  }

  private newTag(): string {
    this.tagNumber += 1;
    return `${this.house.node}${this.tagNumber.toString(36)}`;
  }
}

const crlf = Buffer.from("\r\n");
const requestTerminated = { status: 487, reason: "Request Terminated", lines: "" };

/** CRLFs alone keep an address translator's entry alive; two of them ask for one back (RFC 5626 §4.4.1). */
const isKeepalive = (text: string): boolean => text.length <= 8 && /^[\r\n\0]*$/.test(text);

function withoutOurVia(response: Response, also: readonly Response[] = []): Buffer {
  const edits = [removeTopVia(response)];
  for (const other of also)
    for (const field of other.fields)
      if (field.name === "www-authenticate" || field.name === "proxy-authenticate")
        edits.push({
          start: response.bodyStart - 2,
          end: response.bodyStart - 2,
          text: other.text.slice(field.start, field.end),
        });
  return Buffer.from(applyEdits(response.text, edits), "latin1");
}

const phrases: Readonly<Record<number, string>> = {
  408: "Request Timeout",
  480: "Temporarily Unavailable",
  487: "Request Terminated",
  500: "Server Internal Error",
  503: "Service Unavailable",
}; // prettier-ignore

const reasonPhrase = (status: number): string => phrases[status] ?? "Failure";
