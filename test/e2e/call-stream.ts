/** A continuous stream of sipp calls to one callee, each from a new port, with a report of the failed ones. */
import { join } from "node:path";
import type { Endpoint, PhoneLogin } from "../support/phone.ts";
import { sipp, startSipp, type RunningSipp } from "../support/sipp.ts";
import type { PhonesHost } from "./end-to-end-cluster.ts";

interface StreamPlan {
  readonly host: PhonesHost;
  readonly exchange: Endpoint;
  readonly caller: PhoneLogin;
  readonly callee: PhoneLogin;
  readonly calleePort: number;
  /** New calls per second. */
  readonly rate: number;
  /** The folder for caller.log and callee.log, which have every message. */
  readonly folder?: string;
}

export interface StreamReport {
  readonly calls: number;
  readonly failed: number;
  readonly retransmissions: number;
  /** Milliseconds from the event to the start of the last failed call; 0 if no call after the event failed. */
  readonly recovery: number;
  /** The error output of caller and callee about the first failures. */
  readonly errorOutput: string;
}

const endless = 1_000_000;
const talkMs = 500;

export class CallStream implements AsyncDisposable {
  readonly #plan: StreamPlan;
  readonly #callee: RunningSipp;

  private constructor(plan: StreamPlan, callee: RunningSipp) {
    this.#plan = plan;
    this.#callee = callee;
  }

  /** Registers the callee and starts it. */
  static async open(plan: StreamPlan): Promise<CallStream> {
    const callee = { ...common(plan), login: plan.callee, port: plan.calleePort, lifetime: 3_600 };
    const registered = await sipp({ ...callee, scenario: "register" });
    if (registered.successful !== 1) throw new Error(`the callee could not register: ${registered.errors}`);
    const waiting = await startSipp({
      ...callee,
      ...{ scenario: "answer", calls: endless, timeoutSeconds: 7_200 },
      ...messagesOf(plan, "callee"),
    });
    return new CallStream(plan, waiting);
  }

  /** Calls from 5 s before `event` until 10 s after it resolves. */
  async during(event: () => Promise<void>): Promise<StreamReport> {
    const { rate, caller, callee } = this.#plan;
    const before = (await this.#callee.errors()).length;
    const begin = Date.now();
    await using calls = await startSipp({
      ...common(this.#plan),
      ...{ scenario: "call", login: caller, callee: callee.username, transport: "un", rate, calls: endless },
      ...{ pauseMs: talkMs, timeoutSeconds: 3_600 },
      ...messagesOf(this.#plan, "caller"),
    });
    await seconds(5);
    const at = Date.now();
    await event();
    await seconds(10);
    calls.finish();
    const { successful, failed, retransmissions, errors } = await calls.result;
    const begun = numbersOf(errors).map((number) => begin + (number / rate) * 1_000);
    const recovery = Math.max(0, ...begun.map((time) => Math.round(time - at)));
    const atCallee = (await this.#callee.errors()).slice(before, before + 3_000);
    const errorOutput = `caller: ${errors.slice(0, 3_000)}\ncallee: ${atCallee}`;
    return { calls: successful + failed, failed, retransmissions, recovery, errorOutput };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#callee[Symbol.asyncDispose]();
  }
}

function common({ host, exchange }: StreamPlan) {
  const inHost = host.namespace === undefined ? {} : { namespace: host.namespace };
  return { exchange, address: host.address, ...inHost };
}

function messagesOf({ folder }: StreamPlan, who: string): { messages?: string } {
  return folder === undefined ? {} : { messages: join(folder, `${who}.log`) };
}

/** The numbers of the calls in sipp's errors: each Call-ID begins with the number of the call, counted from 1. */
function numbersOf(errors: string): number[] {
  return [...errors.matchAll(/\b(\d+)-\d+@\d/g)].map(([, number]) => Number(number));
}

const seconds = (count: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, count * 1_000));
