/**
 * Sends requests to the API server. Each has a time limit. A request that was refused temporarily (429, Retry-After) is sent again. Each
 * attempt is counted. Writes are sent only while this process is the leader.
 */
import { ApiRefused, ApiUnreachable } from "./api-error.ts";
import { Deadline, DeadlinePassed } from "./deadline.ts";
import type { KubeAnswer, KubeConnection, KubeRequest } from "./kube-connection.ts";
import { planRetry } from "./plan-retry.ts";

export interface KubeObserver {
  /** An attempt has ended with that HTTP status, or without one. `seconds`: until the head of the response. */
  requested(request: { method: string; host: string; code: number | undefined; seconds: number }): void;
}

export interface KubeOptions {
  readonly observer?: KubeObserver;
  /** Called just before each write. */
  readonly mayWrite?: () => boolean;
  readonly requestTimeoutMs?: number;
}

/** A write was not sent, because `KubeOptions.mayWrite` returned false. */
export class NotLeader extends Error {
  override readonly name = "NotLeader";
}

const requestTimeoutMs = 15_000;

export class ApiRequests {
  readonly #connection: KubeConnection;
  readonly #observer: KubeObserver | undefined;
  readonly #mayWrite: () => boolean;
  readonly #timeoutMs: number;

  constructor(connection: KubeConnection, options: KubeOptions) {
    this.#connection = connection;
    this.#observer = options.observer;
    this.#mayWrite = options.mayWrite ?? (() => true);
    this.#timeoutMs = options.requestTimeoutMs ?? requestTimeoutMs;
  }

  /** The JSON of the response. `what`: the request, for messages. Throws `ApiRefused`, `ApiUnreachable`, `NotLeader`. */
  async ask(what: string, request: KubeRequest, signal?: AbortSignal): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      if (request.method !== "GET" && !this.#mayWrite())
        throw new NotLeader(`${what}: not sent, this process is not the leader`);
      using deadline = new Deadline(this.#timeoutMs, signal);
      const { status, headers, body } = await this.#exchange(what, request, deadline.signal);
      if (status >= 200 && status < 300) return parse(what, body);
      const wait = planRetry(status, headers["retry-after"], attempt, Math.random());
      if (wait === undefined) throw new ApiRefused(what, status, body);
      deadline.lift();
      await pause(wait, signal);
    }
  }

  /** The body as a stream, after a head with 200. Then only `signal` ends it. */
  async open(what: string, request: KubeRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const deadline = new Deadline(this.#timeoutMs, signal);
    try {
      const answer = await this.#send(what, request, deadline.signal);
      if (answer.status !== 200) throw new ApiRefused(what, answer.status, await answer.text());
      return answer.stream();
    } finally {
      deadline.lift();
    }
  }

  async #exchange(
    what: string,
    request: KubeRequest,
    signal: AbortSignal,
  ): Promise<{ status: number; headers: Readonly<Record<string, string>>; body: string }> {
    const start = performance.now();
    const answer = await this.#send(what, request, signal);
    const body = await answer.text().catch((cause: unknown) => {
      if (signal.reason instanceof DeadlinePassed) this.#connection.renew(start);
      throw new ApiUnreachable(what, cause);
    });
    return { status: answer.status, headers: answer.headers, body };
  }

  async #send(what: string, request: KubeRequest, signal: AbortSignal): Promise<KubeAnswer> {
    const start = performance.now();
    const observe = (code: number | undefined): void =>
      this.#observer?.requested({
        method: request.method,
        host: this.#connection.host,
        code,
        seconds: (performance.now() - start) / 1000,
      });
    try {
      const answer = await this.#connection.send(request, signal);
      observe(answer.status);
      return answer;
    } catch (cause) {
      observe(undefined);
      if (signal.reason instanceof DeadlinePassed) this.#connection.renew(start);
      throw new ApiUnreachable(what, cause);
    }
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    if (signal?.aborted === true) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
}

function parse(what: string, body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new ApiUnreachable(`${what}: the response is not JSON`, cause);
  }
}
