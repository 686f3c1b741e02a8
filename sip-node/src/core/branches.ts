/**
 * Forwards a request to its targets (RFC 3261 §16.6) and applies the decisions of its response context to each event (§16.7 to §16.10).
 *
 *   forwardRequest ─► a Branch for each target ─► client transactions
 *   response, failure, Timer C, CANCEL, silence ─► response context ─► effects: start a branch, CANCEL it, answer the caller
 */
import type { Routing } from "../proxy/routing.ts";
import { buildCancel } from "../proxy/build-cancel.ts";
import { type CancelCause, reasonLines } from "../proxy/cancel-reason.ts";
import {
  type Effect,
  type Event,
  handleEvent,
  isHeldBySilence,
  responseContext,
} from "../proxy/response-context.ts";
import type { Telemetry } from "../telemetry/metrics.ts";
import { Timer, TimerWheel } from "../transaction/timer-wheel.ts";
import type { Transactions } from "../transaction/transactions.ts";
import type { Request, Response } from "../wire/message.ts";
import { parseMessage } from "../wire/parse-message.ts";
import type { Ms } from "../wire/units.ts";
import { type Answers, plain } from "./answers.ts";
import type { BranchCopies } from "./branch-copies.ts";
import { Branch, type BranchTimerEvent, type BranchUser, cancelUser, type ClientUser } from "./branch.ts";
import type { ServerContext } from "./server-context.ts";

type RequestBranch = Branch<ServerContext>;

export interface BranchesDependencies {
  readonly telemetry: Pick<Telemetry, "forwarded">;
  clock(): Ms;
}

/** Timer C (RFC 3261 §16.6 step 11): more than three minutes without a response other than 100. */
const timerC: Ms = 185_000;
/** A cancelled branch ends without a final response after 64 T1 (§9.1). */
const cancelTimeout: Ms = 32_000;
/** How long silent branches may delay a known final response (ADR 29). A request is sent four times in that time. */
const silenceTimeout: Ms = 4_000;

export class Branches implements BranchUser<ServerContext> {
  private readonly deps: BranchesDependencies;
  private readonly transactions: Transactions<ServerContext, ClientUser>;
  private readonly answers: Answers;
  private readonly copies: BranchCopies;
  private readonly timers: TimerWheel<RequestBranch, BranchTimerEvent>;
  private readonly silences: TimerWheel<ServerContext, "silence">;

  constructor(
    deps: BranchesDependencies,
    transactions: Transactions<ServerContext, ClientUser>,
    answers: Answers,
    copies: BranchCopies,
  ) {
    this.deps = deps;
    this.transactions = transactions;
    this.answers = answers;
    this.copies = copies;
    this.timers = new TimerWheel((timer, now) => this.timerFired(timer, now), deps.clock());
    this.silences = new TimerWheel(({ owner }) => this.apply(owner, { kind: "silence" }), deps.clock());
  }

  /** Fires the timers that are due. */
  advance(now: Ms): void {
    this.timers.advance(now);
    this.silences.advance(now);
  }

  // ── Events ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** §16.6: makes a branch for each target. The response context decides when each one starts. */
  forwardRequest(context: ServerContext, request: Request, routing: Routing): void {
    const { flow, isInvite } = context.server;
    context.responseContext = responseContext(isInvite, routing.targets);
    context.branches = routing.targets.map(
      (target, index) =>
        new Branch(this, context, index, target, this.copies.make(request, flow, target, routing)),
    );
    this.deps.telemetry.forwarded(this.deps.clock() - context.receivedAt);
    this.apply(context, { kind: "start" });
  }

  /** §16.10: the caller cancelled a forwarded INVITE. */
  cancelAll(context: ServerContext, cause: CancelCause): void {
    this.apply(context, { kind: "cancel", cause });
  }

  /** §16.7 step 2: a provisional response but 100 restarts Timer C, a final response stops it. */
  receiveResponse(branch: RequestBranch, response: Response, now: Ms): void {
    const { timer } = branch;
    if (response.status >= 200) this.end(branch);
    else if (response.status > 100 && timer.event === "Timer C" && timer.isRunning)
      this.timers.start(timer, "Timer C", timerC, now);
    this.apply(branch.context, { kind: "response", branch: branch.index, response });
  }

  clientFailed(branch: RequestBranch, cause: "timeout" | "transport"): void {
    this.end(branch);
    this.fail(branch, cause === "timeout" ? 408 : 480);
  }

  private timerFired({ owner, event }: Timer<RequestBranch, BranchTimerEvent>, now: Ms): void {
    if (event === "Timer C" && owner.client?.hasProvisional === true)
      return this.cancel(owner, { kind: "timer-c" }, now); // §16.8
    owner.client?.terminate();
    this.fail(owner, event === "Timer C" ? 408 : 487);
  }

  /** Nothing is sent any more. */
  private end(branch: RequestBranch): void {
    this.timers.stop(branch.timer);
    branch.text = "";
  }

  private fail(branch: RequestBranch, status: number): void {
    this.apply(branch.context, { kind: "failure", branch: branch.index, status });
  }

  // ── Effects ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private apply(context: ServerContext, event: Event): void {
    if (context.responseContext === undefined) return;
    const handled = handleEvent(context.responseContext, event);
    context.responseContext = handled.context;
    for (const effect of handled.effects) this.act(context, effect);
    this.watchSilence(context);
  }

  private act(context: ServerContext, effect: Effect): void {
    switch (effect.kind) {
      case "start": {
        const branch = context.branches[effect.branch];
        return branch === undefined ? undefined : this.start(branch);
      }
      case "forward":
        return this.answers.forwardResponse(context, effect.response, effect.also);
      case "reply":
        return this.answers.reply(context, plain(effect.status));
      case "cancel": {
        const branch = context.branches[effect.branch];
        return branch === undefined ? undefined : this.cancel(branch, effect.cause, this.deps.clock());
      }
      case "drop":
        return this.answers.drop(context);
    }
  }

  private start(branch: RequestBranch): void {
    const { server } = branch.context;
    const { viaBranch, text } = branch;
    const now = this.deps.clock();
    const { flow } = branch.target;
    branch.client = this.transactions.request(server.method, viaBranch, text, flow, branch, now);
    if (branch.client === undefined) return this.fail(branch, 503);
    if (server.isInvite) this.timers.start(branch.timer, "Timer C", timerC, now);
  }

  /** Sends one CANCEL for each branch: the caller may cancel a branch that Timer C cancelled before. */
  private cancel(branch: RequestBranch, cause: CancelCause, now: Ms): void {
    if (branch.timer.event === "CANCEL unanswered") return;
    const invite = parseMessage(branch.text);
    if (invite.kind !== "request") return;
    const text = buildCancel(invite, reasonLines(cause));
    const { flow } = branch.target;
    this.timers.start(branch.timer, "CANCEL unanswered", cancelTimeout, now);
    this.transactions.request("CANCEL", branch.viaBranch, text, flow, cancelUser(branch.target), now);
  }

  /** Starts or stops the timer that bounds how long silent branches delay a final response. */
  private watchSilence(context: ServerContext): void {
    if (context.responseContext === undefined || !isHeldBySilence(context.responseContext)) {
      if (context.silence !== undefined) this.silences.stop(context.silence);
      return;
    }
    context.silence ??= new Timer(context, "silence");
    if (!context.silence.isRunning)
      this.silences.start(context.silence, "silence", silenceTimeout, this.deps.clock());
  }
}
