/**
 * Handles a new request by its method: the registrar handles REGISTER, this class OPTIONS to this exchange and CANCEL, the proxy all others.
 *
 *   request ─► method ─┬─ registrar ─► answer
 *                      └─ proxy ─┬─ rejection ─► answer
 *                                └─ targets ───► branches
 */
import type { Cluster } from "../cluster/cluster.ts";
import type { OverloadControl } from "../overload/overload-control.ts";
import { callersReasons } from "../proxy/cancel-reason.ts";
import { answerOptions, route } from "../proxy/proxy.ts";
import type { ProxyDependencies, Routing } from "../proxy/routing.ts";
import { register, type RegistrarDependencies } from "../registrar/register.ts";
import type { Telemetry } from "../telemetry/metrics.ts";
import { Timer, TimerWheel } from "../transaction/timer-wheel.ts";
import type { Transactions } from "../transaction/transactions.ts";
import type { Flow } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";
import type { Rejection } from "../wire/rejection.ts";
import type { Ms } from "../wire/units.ts";
import { type Answer, type Answers, plain } from "./answers.ts";
import type { Branches } from "./branches.ts";
import { markParties, type MarkDependencies } from "./mark-parties.ts";
import type { ClientUser } from "./branch.ts";
import type { ServerContext } from "./server-context.ts";

export interface MethodsDependencies extends ProxyDependencies, RegistrarDependencies, MarkDependencies {
  readonly lookup: ProxyDependencies["lookup"] & RegistrarDependencies["lookup"];
  readonly cluster: MarkDependencies["cluster"] & Pick<Cluster, "offer" | "releaseFlows" | "isAuthenticated">;
  readonly overload: OverloadControl;
  readonly telemetry: Pick<Telemetry, "registered">;
  clock(): Ms;
  /** An error of this program; the request is answered with 500. */
  reportInternalError(error: unknown): void;
  isStoreFailure(error: unknown): boolean;
}

type Handler = (context: ServerContext, request: Request) => Promise<void>;

/** A 100 is sent when the response takes longer (§17.2.1). */
const tryingAfter: Ms = 200;

export class Methods {
  private readonly deps: MethodsDependencies;
  private readonly transactions: Transactions<ServerContext, ClientUser>;
  private readonly answers: Answers;
  private readonly branches: Branches;
  /** INVITEs that wait for the database or for peers. */
  private readonly waiting: TimerWheel<ServerContext, "100">;

  private readonly handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
    ["REGISTER", (context, request) => this.register(context, request)],
    ["OPTIONS", (context, request) => this.options(context, request)],
    ["CANCEL", (context, request) => this.cancel(context, request)],
  ]);

  constructor(
    deps: MethodsDependencies,
    transactions: Transactions<ServerContext, ClientUser>,
    answers: Answers,
    branches: Branches,
  ) {
    this.deps = deps;
    this.transactions = transactions;
    this.answers = answers;
    this.branches = branches;
    this.waiting = new TimerWheel(({ owner }) => answers.sendTrying(owner), deps.clock());
  }

  /** Fires the timers that are due. */
  advance(now: Ms): void {
    this.waiting.advance(now);
  }

  /** Never throws: a failure, at once or later, is answered with 500. */
  handle(context: ServerContext, request: Request): void {
    try {
      const { isHeldByPeer } = context;
      const pending =
        isHeldByPeer === undefined
          ? this.start(context, request)
          : this.startUnlessHeld(context, request, isHeldByPeer);
      pending?.catch((error: unknown) => this.fail(context, error));
    } catch (error) {
      this.fail(context, error);
    }
  }

  /** Returns undefined when nothing is waited for. */
  private start(context: ServerContext, request: Request): undefined | Promise<void> {
    const handler = this.handlers.get(request.method);
    return handler === undefined ? this.proxy(context, request) : handler(context, request);
  }

  private async startUnlessHeld(
    context: ServerContext,
    request: Request,
    isHeldByPeer: Promise<boolean>,
  ): Promise<void> {
    if (await isHeldByPeer) this.answers.drop(context);
    else await this.start(context, request);
  }

  private fail(context: ServerContext, error: unknown): void {
    if (!this.deps.isStoreFailure(error)) this.deps.reportInternalError(error);
    if (!context.hasAnswered) this.answerBySender(context, { ...plain(500), lines: "Retry-After: 5\r\n" });
  }

  // §10.3
  private async register(context: ServerContext, request: Request): Promise<void> {
    const { flow } = context.server;
    const { registers } = this.deps.overload;
    let answer: Awaited<ReturnType<typeof register>>;
    registers.begin(); // it may wait for the database
    try {
      answer = await register(request, flow, this.deps);
    } finally {
      registers.end();
    }
    if (answer.kind === "accept") {
      this.deps.cluster.releaseFlows(answer.formerFlows);
      this.deps.cluster.markAuthenticated(flow, answer.flowExpiresIn * 1000);
      this.deps.overload.loginSucceeded(flow, this.deps.clock());
    } else if (!this.mayAnswer(answer, flow)) return this.answers.drop(context);
    if (answer.status === 401) this.answers.replyOnce(context, answer);
    else this.answers.reply(context, answer);
    this.deps.telemetry.registered(this.deps.clock() - context.receivedAt);
  }

  // §11.2
  private async options(context: ServerContext, request: Request): Promise<void> {
    const { flow } = context.server;
    const answer = await answerOptions(request, this.deps);
    if (answer === undefined) await this.proxy(context, request);
    else if (this.mayAnswer(answer, flow)) this.answers.replyOnce(context, answer);
    else this.answers.drop(context);
  }

  // §16.3 to §16.6
  private proxy(context: ServerContext, request: Request): undefined | Promise<void> {
    const { flow } = context.server;
    const routing = route(request, flow, this.deps);
    if (routing instanceof Promise)
      return this.tryingWhile(context, routing).then((found) => this.forward(context, request, found));
    this.forward(context, request, routing);
    return undefined;
  }

  private forward(context: ServerContext, request: Request, routing: Routing | Rejection): void {
    const { flow } = context.server;
    if (context.hasAnswered) return; // cancelled during the look-up
    if (routing.kind === "reject") {
      if (!context.hasSentTrying && !this.mayAnswer(routing, flow)) return this.answers.drop(context);
      if (routing.isUnauthenticated === true && !context.hasSentTrying)
        this.answers.replyOnce(context, routing);
      else this.answers.reply(context, routing);
      return;
    }
    markParties(flow, routing, this.deps);
    if (routing.proven !== undefined) this.deps.overload.loginSucceeded(flow, this.deps.clock());
    this.answers.sendTrying(context);
    this.branches.forwardRequest(context, request, routing);
  }

  // ── Strangers (design-sip rule 24) ───────────────────────────────────────────────────────────────────────────────────────

  /** Whether a rejection is sent. Wrong passwords and requests for foreign domains get no answer when their sender had many of them. */
  private mayAnswer({ failedLogin, isNotServed }: Rejection, flow: Flow): boolean {
    const { overload } = this.deps;
    const now = this.deps.clock();
    if (failedLogin !== undefined) return overload.mayAnswerWrongPassword(flow, failedLogin, now);
    return isNotServed !== true || this.isKnown(flow) || overload.mayRefuse(flow, now);
  }

  private isKnown(flow: Flow): boolean {
    return this.deps.isPeer(flow) || this.deps.cluster.isAuthenticated(flow);
  }

  /** A response before the sender is authenticated: to a stranger, whose address may be forged, it is sent once (ADR 7). */
  private answerBySender(context: ServerContext, answer: Answer): void {
    if (context.hasSentTrying || this.isKnown(context.server.flow)) this.answers.reply(context, answer);
    else this.answers.replyOnce(context, answer);
  }

  /** Waits for `pending`. An INVITE of a known sender that waits longer than `tryingAfter` gets a 100: its response is then retransmitted. */
  private tryingWhile<T>(context: ServerContext, pending: Promise<T>): Promise<T> {
    if (!context.server.isInvite || !this.isKnown(context.server.flow)) return pending;
    const timer = new Timer<ServerContext, "100">(context, "100");
    this.waiting.start(timer, "100", tryingAfter, this.deps.clock());
    return pending.finally(() => this.waiting.stop(timer));
  }

  // §16.10, §9.2
  private async cancel(context: ServerContext, request: Request): Promise<void> {
    const { flow } = context.server;
    const invite = this.transactions.findInvite(request, flow);
    if (invite === undefined || (await invite.context?.isHeldByPeer) === true) {
      const isTaken = await this.deps.cluster.offer(request.text, flow);
      if (isTaken) return this.answers.drop(context);
      return this.answers.replyOnce(context, plain(481));
    }
    const cancelled = invite.context;
    if (cancelled !== undefined) context.toTag = cancelled.toTag; // one tag for both (§9.2)
    this.answers.reply(context, plain(200));
    if (cancelled === undefined || cancelled.hasAnswered) return;
    if (cancelled.responseContext === undefined) return this.answerBySender(cancelled, plain(487));
    this.branches.cancelAll(cancelled, { kind: "caller", reasons: callersReasons(request) });
  }
}
