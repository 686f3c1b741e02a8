/**
 * The transaction layer of a node (RFC 3261 §17, RFC 6026), without input or output: bytes leave through the transaction user, time
 * comes in as `now` on the node's monotonic clock.
 *
 *   datagram ─► receiveRequest ──► new ServerTransaction ─► TU ─► respond ──► send
 *            └► receiveResponse ─► ClientTransaction ─► TU.response    TU ─► request ─► send
 *   clock ───► advance ──────────► retransmissions, time-outs, ends
 *
 * The transaction user is called synchronously and may call back in. A server transaction that it neither answers nor terminates
 * stays for ever: those of INVITE are bounded by the proxy's Timer C, the others by the Timer F of its client transactions.
 */
import type { Flow } from "../wire/flow.ts";
import { maxTransactions } from "../wire/limits.ts";
import type { Request, Response } from "../wire/message.ts";
import type { Ms } from "../wire/units.ts";
import { type ClientHost, ClientTransaction } from "./client-transaction.ts";
import { Invariant } from "./invariant.ts";
import { inviteKey, isTransactionId, serverKey } from "./server-key.ts";
import { type ServerHost, ServerTransaction } from "./server-transaction.ts";
import { defaultTimers, timerLengths, type TimerSettings } from "./timers.ts";
import { TimerWheel } from "./timer-wheel.ts";
import type { TimerEvent, TimerOwner } from "./transaction.ts";

/** `S` and `C` are what the transaction user keeps with its server and client transactions. */
export interface TransactionUser<S, C> {
  /** First transmission, retransmission or ACK; a failure, also a later one, is told by `transportFailed`. */
  send(
    bytes: Uint8Array,
    flow: Flow,
    message: "request" | "response",
    transaction: ServerTransaction<S> | ClientTransaction<C>,
  ): void;
  /** Every provisional, the first final response, and every 2xx to INVITE (RFC 6026 §7.2). */
  response(client: ClientTransaction<C>, response: Response, now: Ms): void;
  /** Timer B or F fired: no answer came (408, §16.8); or the transport failed (503, §16.9). The transaction is over. */
  clientFailed(client: ClientTransaction<C>, cause: "timeout" | "transport", now: Ms): void;
  /** Timer H fired: no ACK came, the transaction is over; or a response could not be sent (RFC 6026 §7.1: INVITE's goes on). */
  serverFailed?(server: ServerTransaction<S>, cause: "timeout" | "transport", now: Ms): void;
  /** The last word about a transaction. */
  ended?(transaction: ServerTransaction<S> | ClientTransaction<C>): void;
}

/**
 * What became of a request. A transaction: it is new, and the TU's to answer. `absorbed`: a retransmission or an ACK to a non-2xx,
 * dealt with here. `ack-to-2xx`: an ACK with the branch of an accepted INVITE, and `unmatched-ack`: one of no transaction here; both
 * are the TU's to forward. `full`: refuse with 503, statelessly.
 */
export type Received<S> = ServerTransaction<S> | "absorbed" | "ack-to-2xx" | "unmatched-ack" | "full";

export interface TransactionSettings {
  readonly timers?: TimerSettings;
  readonly maxTransactions?: number;
}

export class Transactions<S, C> {
  readonly #servers = new Map<string, ServerTransaction<S>>();
  /** Those of INVITE by `inviteKey`, the latest of each. */
  readonly #invites = new Map<string, ServerTransaction<S>>();
  readonly #clients = new Map<string, ClientTransaction<C>>();
  readonly #limit: number;
  readonly #wheel: TimerWheel<TimerOwner, TimerEvent>;
  readonly #host: ServerHost<S> & ClientHost<C>;

  constructor(user: TransactionUser<S, C>, now: Ms, settings: TransactionSettings = {}) {
    const timers = settings.timers ?? defaultTimers;
    this.#limit = settings.maxTransactions ?? maxTransactions;
    this.#wheel = new TimerWheel((timer, at) => void timer.owner.on(timer.event, at), now);
    this.#host = {
      wheel: this.#wheel,
      lengths: timerLengths(timers),
      t2: timers.t2,
      sendResponse: (bytes, server) => user.send(bytes, server.flow, "response", server),
      sendRequest: (bytes, client) => user.send(bytes, client.flow, "request", client),
      response: (client, response, at) => user.response(client, response, at),
      clientFailed: (client, cause, at) => user.clientFailed(client, cause, at),
      serverFailed: (server, cause, at) => user.serverFailed?.(server, cause, at),
      serverEnded: (server) => {
        this.#servers.delete(server.key);
        this.#forgetInvite(server);
        user.ended?.(server);
      },
      clientEnded: (client) => {
        this.#clients.delete(clientKey(client.branch, client.method));
        user.ended?.(client);
      },
    };
  }

  /** Server and client transactions, those in their last 32 seconds included; timers running. */
  get counts(): { readonly server: number; readonly client: number; readonly timers: number } {
    return { server: this.#servers.size, client: this.#clients.size, timers: this.#wheel.size };
  }

  /** Whether new requests are refused. */
  get isFull(): boolean {
    return this.#servers.size + this.#clients.size >= this.#limit;
  }

  /** A request from the network (§17.2). */
  receiveRequest(request: Request, flow: Flow, now: Ms): Received<S> {
    const isAck = request.method === "ACK";
    const key = serverKey(request);
    const server = this.#servers.get(key) ?? this.#inviteOfAck(request, flow);
    if (server === undefined) return isAck ? "unmatched-ack" : this.#create(key, request, flow);
    const event = isAck ? "ACK" : server.isInvite ? "INVITE" : "request";
    const cell = server.on(event, now);
    return isAck && cell !== "ignored" && cell.actions.includes("ACK to TU") ? "ack-to-2xx" : "absorbed";
  }

  /** The transaction that this request repeats, or that this ACK acknowledges (§17.2.3); `flow` is where it came from. */
  find(request: Request, flow: Flow): ServerTransaction<S> | undefined {
    return this.#servers.get(serverKey(request)) ?? this.#inviteOfAck(request, flow);
  }

  /**
   * The INVITE that a CANCEL names (§9.2), in whatever state; undefined is 481. Of one with a CSeq number of its own it is the latest INVITE
   * with its branch and Call-ID on this flow.
   */
  findInvite(cancel: Request, flow: Flow): ServerTransaction<S> | undefined {
    return this.#servers.get(serverKey(cancel, "INVITE")) ?? this.#inviteOn(cancel, flow);
  }

  /** A response of the TU, provisional or final; false when it came too late (after the final one) and was not sent. */
  respond(server: ServerTransaction<S>, status: number, bytes: Uint8Array, now: Ms): boolean {
    return server.respond(status, bytes, now);
  }

  /**
   * Sends a request and answers for it (§17.1); undefined when the layer is full. ACK is no transaction. `branch` is the one in the
   * top Via of `bytes`, which the transaction keeps. Throws `Invariant` when branch and method are in use.
   */
  request(
    method: string,
    branch: string,
    bytes: Uint8Array,
    flow: Flow,
    context: C,
    now: Ms,
  ): ClientTransaction<C> | undefined {
    const key = clientKey(branch, method);
    if (method === "ACK") throw new Invariant("an ACK has no client transaction (RFC 3261 §17)");
    if (this.#clients.has(key)) throw new Invariant(`client transaction ${key} exists`);
    if (this.isFull) return undefined;
    const client = new ClientTransaction(method, branch, bytes, flow, context, this.#host);
    this.#clients.set(key, client);
    client.start(now);
    return client;
  }

  /** A response from the network (§17.1.3); false when no transaction here waits for it. */
  receiveResponse(response: Response, now: Ms): boolean {
    const { branch } = response.via;
    const client =
      branch === undefined ? undefined : this.#clients.get(clientKey(branch, response.cseq.method));
    client?.receive(response, now);
    return client !== undefined;
  }

  /** The transport could not send for it (§17.1.4, §17.2.4). */
  transportFailed(transaction: ServerTransaction<S> | ClientTransaction<C>, now: Ms): void {
    transaction.on("transport error", now);
  }

  /** Fires the timers that are due. */
  advance(now: Ms): void {
    this.#wheel.advance(now);
  }

  #create(key: string, request: Request, flow: Flow): ServerTransaction<S> | "full" {
    if (this.isFull) return "full";
    const server = new ServerTransaction<S>(key, request, flow, this.#host);
    this.#servers.set(key, server);
    const onFlow = server.isInvite ? inviteKey(request, flow) : undefined;
    if (onFlow !== undefined) this.#invites.set(onFlow, server);
    return server;
  }

  #forgetInvite(server: ServerTransaction<S>): void {
    const onFlow = server.isInvite ? inviteKey(server.request, server.flow) : undefined;
    if (onFlow !== undefined && this.#invites.get(onFlow) === server) this.#invites.delete(onFlow);
  }

  #inviteOn(request: Request, flow: Flow): ServerTransaction<S> | undefined {
    const onFlow = inviteKey(request, flow);
    return onFlow === undefined ? undefined : this.#invites.get(onFlow);
  }

  /** Of an ACK whose own key finds nothing. */
  #inviteOfAck(request: Request, flow: Flow): ServerTransaction<S> | undefined {
    if (request.method !== "ACK") return undefined;
    const latest = this.#inviteOn(request, flow);
    return latest?.request.cseq.number === request.cseq.number ? latest : this.#legacyAck(request);
  }

  /** RFC 2543: the ACK to an initial INVITE has the To tag of the response, and the INVITE had none (§17.2.3). */
  #legacyAck(request: Request): ServerTransaction<S> | undefined {
    if (isTransactionId(request.via.branch)) return undefined;
    const initial = this.#servers.get(serverKey(request, "INVITE", ""));
    return initial?.responseToTag === request.to.tag ? initial : undefined;
  }
}

const clientKey = (branch: string, method: string): string => `${method} ${branch}`;
