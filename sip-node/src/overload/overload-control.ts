/**
 * Decides which datagrams a node serves when somebody sends too many (design-sip rule 24, ADR 48). It counts those that are dropped.
 *
 *   sources          token buckets of addresses
 *   failedLogins     penalties for wrong passwords
 *   load             normal, busy or overloaded
 *   registers        REGISTERs that wait for their turn
 *
 * Phones on authenticated flows (ADR 22) and configured peers have no bucket: for them only `load` and `registers` count. Pure.
 */
import type { Flow } from "../wire/flow.ts";
import type { FailedLogin } from "../wire/rejection.ts";
import type { Ms } from "../wire/units.ts";
import type { DatagramClass } from "./datagram-class.ts";
import { FailedLogins } from "./failed-logins.ts";
import { LoadMonitor } from "./load-monitor.ts";
import { RegisterQueue } from "./register-queue.ts";
import { type SourceLimits, Sources } from "./sources.ts";

/**
 * `malformed`: unreadable, and without an answer. `scanner`: a program that searches for exchanges. `rate`: above the budget of its source.
 * `failed-login`: a wrong password of a sender with many of them. `not-served`: for a domain that is not served, of a source that was answered
 * often. `register-queue`: a REGISTER that had to wait too long. `overload`: a request of a stranger while this node is overloaded.
 */
export const dropReasons = [
  "malformed",
  "scanner",
  "rate",
  "failed-login",
  "not-served",
  "register-queue",
  "overload",
] as const;
export type DropReason = (typeof dropReasons)[number];

export class OverloadControl {
  readonly sources: Sources;
  readonly failedLogins = new FailedLogins();
  readonly load: LoadMonitor;
  readonly registers: RegisterQueue;
  private readonly counts = new Map<DropReason, number>(dropReasons.map((reason) => [reason, 0]));

  constructor(limits: SourceLimits, now: Ms) {
    this.sources = new Sources(limits);
    this.load = new LoadMonitor(now);
    this.registers = new RegisterQueue(this.load, now);
  }

  drop(reason: DropReason): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
  }

  /** Datagrams that got no answer, by reason. */
  get dropped(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.counts, ["register-queue", this.registers.dropped]]);
  }

  /** Whether a datagram of a flow that is not authenticated is served. If not, it is counted. */
  admitsStranger(kind: DatagramClass, flow: Flow, now: Ms): boolean {
    const isRequest = kind !== "response" && kind !== "keepalive";
    const isBusy = this.load.level !== "normal";
    if (!isRequest && !isBusy) return true;
    const isSaturated = this.load.level === "saturated" || this.load.level === "overloaded";
    if (isSaturated && kind !== "register" && !this.isTrusted(flow, now)) return this.refuse("overload");
    if (isRequest && this.failedLogins.isDelayed(flow, now)) return this.refuse("failed-login");
    if (this.sources.take(flow.address, isRequest ? budgetOf[kind] : "other", now)) return true;
    const isPaced = kind === "register"; // `registers` limits them while this node is busy
    return ((isPaced || !isBusy) && this.isTrusted(flow, now)) || this.refuse("rate");
  }

  /** Whether a request for a domain that is not served gets its 404. If not, it is counted. */
  mayRefuse(flow: Flow, now: Ms): boolean {
    return this.sources.take(flow.address, "refusal", now) || this.refuse("not-served");
  }

  /** Whether a wrong password is answered. If not, it is counted. */
  mayAnswerWrongPassword(flow: Flow, login: FailedLogin, now: Ms): boolean {
    return this.failedLogins.failed(flow, login, now) || this.refuse("failed-login");
  }

  /** Somebody authenticated on this flow. */
  loginSucceeded(flow: Flow, now: Ms): void {
    this.failedLogins.succeeded(flow);
    this.sources.trust(flow.address, now);
  }

  private isTrusted({ address }: Flow, now: Ms): boolean {
    return this.sources.isTrusted(address, now) && !this.failedLogins.isPenalized(address, now);
  }

  private refuse(reason: DropReason): false {
    this.drop(reason);
    return false;
  }
}

const budgetOf = { register: "register", call: "call", other: "other" } as const;
