/** A steady stream of calls by sipp to one callee, from a new port for each, and which of them failed. */
import { join } from "node:path";
import type { Endpoint, PhoneLogin } from "../support/phone.ts";
import { sipp, startSipp, type RunningSipp } from "../support/sipp.ts";
import type { PhonesHost } from "./test-cluster.ts";

export interface StreamPlan {
  readonly host: PhonesHost;
  readonly exchange: Endpoint;
  readonly caller: PhoneLogin;
  readonly callee: PhoneLogin;
  readonly calleePort: number;
  /** New calls a second. */
  readonly rate: number;
  /** Where caller.log and callee.log get every message. */
  readonly folder?: string;
}

export interface StreamReport {
  readonly calls: number;
  readonly failed: number;
  readonly retransmissions: number;
  /** Milliseconds from the event to the begin of the last call that failed; 0 where none did after it. */
  readonly recovery: number;
  /** What caller and callee say of the first failures. */
  readonly words: string;
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

  /** Registers the callee, which then waits for calls. */
  static async open(plan: StreamPlan): Promise<CallStream> {
    const callee = { ...common(plan), login: plan.callee, port: plan.calleePort, lifetime: 3_600 };
    const registered = await sipp({ ...callee, scenario: "register" });
    if (registered.successful !== 1) throw new Error(`the callee was not let in: ${registered.errors}`);
    const waiting = await startSipp({
      ...callee,
      ...{ scenario: "answer", calls: endless, patienceSeconds: 7_200 },
      ...messagesOf(plan, "callee"),
    });
    return new CallStream(plan, waiting);
  }

  /** Calls while something happens, a few seconds before and after. `event` resolves when it is over. */
  async during(event: () => Promise<void>): Promise<StreamReport> {
    const { rate, caller, callee } = this.#plan;
    const before = (await this.#callee.errors()).length;
    const begin = Date.now();
    await using calls = await startSipp({
      ...common(this.#plan),
      ...{ scenario: "call", login: caller, callee: callee.username, transport: "un", rate, calls: endless },
      ...{ pauseMs: talkMs, patienceSeconds: 3_600 },
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
    const words = `caller: ${errors.slice(0, 3_000)}\ncallee: ${atCallee}`;
    return { calls: successful + failed, failed, retransmissions, recovery, words };
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

/** sipp numbers its calls from 1 and begins each Call-ID with the number. */
function numbersOf(errors: string): number[] {
  return [...errors.matchAll(/\b(\d+)-\d+@\d/g)].map(([, number]) => Number(number));
}

const seconds = (count: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, count * 1_000));
