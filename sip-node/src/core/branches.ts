/** What goes out to phones: a branch for each target of a forwarded request (RFC 3261 §16.6), its Timer C, its CANCEL. */
import { hash } from "node:crypto";
import { type Call, Leg, type LegEvent, type Server } from "./server-context.ts";
import { makeBranch } from "../proxy/branch.ts";
import { buildCancel } from "../proxy/build-cancel.ts";
import { sealToken } from "../proxy/flow-token.ts";
import { forward, mayFoundDialog } from "../proxy/forward.ts";
import { identityEdits } from "../proxy/identity.ts";
import type { ProxyHouse, Routing } from "../proxy/routing.ts";
import { type Event, isHeldBySilence, responseContext } from "../proxy/response-context.ts";
import type { Target } from "../proxy/targets.ts";
import type { Telemetry } from "../telemetry/metrics.ts";
import type { Transactions } from "../transaction/transactions.ts";
import { serverKey } from "../transaction/server-key.ts";
import { Timer, TimerWheel } from "../transaction/timer-wheel.ts";
import type { Flow } from "../wire/flow.ts";
import type { Request, Response } from "../wire/message.ts";
import { parseMessage } from "../wire/parse-message.ts";
import type { Seal } from "../wire/seal.ts";
import type { Ms } from "../wire/units.ts";

export interface BranchesHouse extends Pick<ProxyHouse, "addresses" | "tokenSeal" | "node" | "isPeer"> {
  /** Seals branches. */
  readonly branchSeal: Seal;
  readonly telemetry: Telemetry;
  clock(): Ms;
}

/** Timer C (RFC 3261 §16.6 step 11): more than three minutes without any response but 100. */
const timerC: Ms = 185_000;
/** A cancelled branch without a final response is given up (§9.1): 64 T1. */
const cancelPatience: Ms = 32_000;
/** How long branches that say nothing hold an answer that is known (ADR 29): a request is sent four times in it. */
const silencePatience: Ms = 4_000;

export class Branches {
  private readonly house: BranchesHouse;
  private readonly transactions: Transactions<Call, Leg | undefined>;
  private readonly timers: TimerWheel<Leg, LegEvent>;
  private readonly silences: TimerWheel<Server, "silence">;
  private readonly tell: (server: Server, event: Event) => void;
  private number = 0;

  /** `tell` hears of branches that end without a response, and of silence. */
  constructor(
    house: BranchesHouse,
    transactions: Transactions<Call, Leg | undefined>,
    tell: (server: Server, event: Event) => void,
  ) {
    this.house = house;
    this.transactions = transactions;
    this.tell = tell;
    this.timers = new TimerWheel((timer, now) => this.timeOver(timer.owner, timer.event, now), house.clock());
    this.silences = new TimerWheel(({ owner }) => tell(owner, { kind: "silence" }), house.clock());
  }

  advance(now: Ms): void {
    this.timers.advance(now);
    this.silences.advance(now);
  }

  /** §16.6: a branch for each target. */
  fork(server: Server, call: Call, routing: Routing): void {
    call.context = responseContext(server.isInvite, routing.targets);
    call.legs = routing.targets.map(
      (target, at) => new Leg(server, at, target, this.copyFor(server.request, server.flow, target, routing)),
    );
    this.house.telemetry.forwarded(this.house.clock() - call.receivedAt);
    for (const leg of call.legs) this.start(leg);
  }

  /** The copy of a request for one target, and the branch in its Via. */
  copyFor(
    request: Request,
    source: Flow,
    target: Target,
    routing: Routing,
  ): { readonly branch: string; readonly text: string } {
    const { loop, caller, maxForwards, proven } = routing;
    const trust = { isFromPeer: this.house.isPeer(source), isToPeer: this.house.isPeer(target.flow) };
    const edits = [...routing.edits, ...identityEdits(request, trust, proven)];
    const branch = makeBranch(
      this.house.node,
      request.method === "ACK" ? numberOf(request) : (this.number += 1),
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

  /** §16.7 step 2: Timer C starts again at a provisional response but 100, and ends with the final one. */
  heard(leg: Leg, response: Response, now: Ms): void {
    const { timer } = leg;
    if (response.status >= 200) this.timers.stop(timer);
    else if (response.status > 100 && timer.event === "Timer C" && timer.isRunning)
      this.timers.start(timer, "Timer C", timerC, now);
  }

  /** After each event of a call: whether its answer waits for branches that say nothing. */
  watchSilence(server: Server, call: Call, now: Ms): void {
    if (call.context === undefined || !isHeldBySilence(call.context)) {
      if (call.silence !== undefined) this.silences.stop(call.silence);
      return;
    }
    call.silence ??= new Timer(server, "silence");
    if (!call.silence.isRunning) this.silences.start(call.silence, "silence", silencePatience, now);
  }

  /** The branch has failed. */
  ended(leg: Leg): void {
    this.timers.stop(leg.timer);
  }

  /** Once: a caller may cancel what Timer C has cancelled already. `lines` are header lines, such as Reason. */
  cancel(leg: Leg, lines: string, now: Ms): void {
    if (leg.timer.event === "CANCEL unanswered") return;
    const invite = parseMessage(leg.text);
    if (invite.kind !== "request") return;
    const bytes = Buffer.from(buildCancel(invite, lines), "latin1");
    this.timers.start(leg.timer, "CANCEL unanswered", cancelPatience, now);
    this.transactions.request("CANCEL", leg.branch, bytes, leg.target.flow, undefined, now);
  }

  private start(leg: Leg): void {
    const { server, target, branch } = leg;
    const now = this.house.clock();
    const bytes = Buffer.from(leg.text, "latin1");
    leg.client = this.transactions.request(server.request.method, branch, bytes, target.flow, leg, now);
    if (leg.client === undefined) return this.tell(server, { kind: "failure", branch: leg.at, status: 503 });
    if (server.isInvite) this.timers.start(leg.timer, "Timer C", timerC, now);
  }

  private timeOver(leg: Leg, event: LegEvent, now: Ms): void {
    if (event === "Timer C" && leg.client?.hasProvisional === true) return this.cancel(leg, "", now); // §16.8
    leg.client?.terminate();
    this.tell(leg.server, { kind: "failure", branch: leg.at, status: event === "Timer C" ? 408 : 487 });
  }
}

/** An ACK has no transaction that would know it again: it leaves with the same branch whenever it comes (§16.11). */
const numberOf = (ack: Request): number =>
  Number.parseInt(hash("md5", serverKey(ack), "hex").slice(0, 12), 16);
