/**
 * The transaction layer of a node (RFC 3261 §17, RFC 6026). It does no input or output: `deps.send` sends wire text, and `now` is the
 * time of the node's monotonic clock. TU is the transaction user.
 *
 *   request  ─► receiveRequest ──► a new ServerTransaction, returned to the TU     TU ─► respond ─► send
 *   response ─► receiveResponse ─► ClientTransaction ─► its ClientTransactionUser  TU ─► request ─► send
 *   clock    ─► advance ─────────► retransmissions, time-outs, ends
 *
 * A ClientTransactionUser is called synchronously and may call back. A server transaction that the TU neither answers nor terminates
 * stays forever: Timer C of the proxy bounds those of INVITE, Timer F of its client transactions bounds the others.
 */
import type { Flow } from "../wire/flow.ts";
import { flatText } from "../wire/flat-text.ts";
import { maxTransactions } from "../wire/limits.ts";
import type { Request, Response } from "../wire/message.ts";
import type { Ms } from "../wire/units.ts";
import {
  type ClientDependencies,
  ClientTransaction,
  type ClientTransactionUser,
} from "./client-transaction.ts";
import { Invariant } from "./invariant.ts";
import { ackKey, inviteKey, isTransactionId, serverKey } from "./server-key.ts";
import { type ServerDependencies, ServerTransaction } from "./server-transaction.ts";
import { defaultTimers, timerLengths, type TimerSettings } from "./timers.ts";
import { TimerWheel } from "./timer-wheel.ts";
import type { TimerEvent, TimerOwner } from "./transaction.ts";

/** `S`: data of the transaction user for a server transaction. `C`: the transaction user's side of a client transaction. */
export interface TransactionDependencies<S, C extends ClientTransactionUser> {
  /**
   * Sends to the flow of the transaction. `isRetransmission`: the transaction sent this message before. When the message cannot be sent,
   * at once or later: `transaction.transportFailed`.
   */
  send(
    text: string,
    transaction: ServerTransaction<S> | ClientTransaction<C>,
    isRetransmission: boolean,
  ): void;
  /** The transaction has ended and is removed. */
  ended?(transaction: ServerTransaction<S> | ClientTransaction<C>): void;
}

/**
 * The result of a received request. A transaction: the request is new, and the TU answers it. `absorbed`: a retransmission or an ACK to a
 * non-2xx; it needs no further handling. `ack-to-2xx`: the ACK of an accepted INVITE; `unmatched-ack`: an ACK that matches no transaction; the
 * TU forwards both. `full`: the TU refuses it with 503, without a transaction.
 */
export type Received<S> = ServerTransaction<S> | "absorbed" | "ack-to-2xx" | "unmatched-ack" | "full";

export interface TransactionOptions {
  readonly timers?: TimerSettings;
  readonly maxTransactions?: number;
}

export class Transactions<S, C extends ClientTransactionUser> {
  readonly #servers = new Map<string, ServerTransaction<S>>();
  /** Transactions of INVITE by `inviteKey`; the latest one of each key. */
  readonly #invites = new Map<string, ServerTransaction<S>>();
  /** Transactions of INVITE that were answered with 2xx, by `ackKey`: their ACK has a branch of its own (§13.2.2.4). */
  readonly #accepted = new Map<string, ServerTransaction<S>>();
  /** By the branch of our Via, which no two requests share, but a CANCEL and its INVITE (§9.1). */
  readonly #clients = new Map<string, ClientTransaction<C>>();
  readonly #cancels = new Map<string, ClientTransaction<C>>();
  readonly #limit: number;
  readonly #wheel: TimerWheel<TimerOwner, TimerEvent>;
  readonly #deps: ServerDependencies<S> & ClientDependencies<C>;

  constructor(deps: TransactionDependencies<S, C>, now: Ms, options: TransactionOptions = {}) {
    const timers = options.timers ?? defaultTimers;
    this.#limit = options.maxTransactions ?? maxTransactions;
    this.#wheel = new TimerWheel((timer, at) => void timer.owner.on(timer.event, at), now);
    this.#deps = {
      wheel: this.#wheel,
      lengths: timerLengths(timers),
      t2: timers.t2,
      sendResponse: (text, server, isRetransmission) => deps.send(text, server, isRetransmission),
      sendRequest: (text, client, isRetransmission) => deps.send(text, client, isRetransmission),
      serverEnded: (server) => {
        this.#servers.delete(server.key);
        forget(this.#invites, server.inviteKey, server);
        forget(this.#accepted, server.ackKey, server);
        deps.ended?.(server);
      },
      clientEnded: (client) => {
        this.#clientsOf(client.method).delete(client.branch);
        deps.ended?.(client);
      },
    };
  }

  /** Server and client transactions, also those that only absorb retransmissions (32 s); running timers. */
  get counts(): { readonly server: number; readonly client: number; readonly timers: number } {
    return {
      server: this.#servers.size,
      client: this.#clients.size + this.#cancels.size,
      timers: this.#wheel.size,
    };
  }

  /** Whether new requests are refused. */
  get isFull(): boolean {
    return this.#servers.size + this.#clients.size + this.#cancels.size >= this.#limit;
  }

  /** A request from the network (§17.2). */
  receiveRequest(request: Request, flow: Flow, now: Ms): Received<S> {
    const isAck = request.method === "ACK";
    const key = serverKey(request);
    const server = this.#servers.get(key) ?? this.#inviteOfAck(request, flow);
    if (server === undefined) return isAck ? this.#receiveAck(request) : this.#create(key, request, flow);
    const event = isAck ? "ACK" : server.isInvite ? "INVITE" : "request";
    const cell = server.on(event, now);
    return isAck && cell !== "ignored" && cell.actions.includes("ACK to TU") ? "ack-to-2xx" : "absorbed";
  }

  /** The transaction that this request retransmits, or that this ACK acknowledges (§17.2.3); `flow` is the source of the request. */
  find(request: Request, flow: Flow): ServerTransaction<S> | undefined {
    return this.#servers.get(serverKey(request)) ?? this.#inviteOfAck(request, flow);
  }

  /**
   * The INVITE that a CANCEL names (§9.2), in any state; undefined: 481. A CANCEL whose CSeq number is not the INVITE's matches the latest
   * INVITE with its branch and Call-ID on this flow.
   */
  findInvite(cancel: Request, flow: Flow): ServerTransaction<S> | undefined {
    return this.#servers.get(serverKey(cancel, "INVITE")) ?? this.#inviteOn(cancel, flow);
  }

  /** Sends a response of the TU, provisional or final; false: not sent, because a final response was sent before. */
  respond(server: ServerTransaction<S>, status: number, text: string, now: Ms): boolean {
    const { request } = server;
    const isSent = server.respond(status, text, now);
    if (isSent && server.isInvite && status >= 200 && status < 300 && request !== undefined) {
      server.ackKey = flatText(ackKey(request));
      this.#accepted.set(server.ackKey, server);
    }
    return isSent;
  }

  /**
   * Sends a request as a client transaction (§17.1); undefined: too many transactions. `branch` is the one in the top Via of `text`. Throws `Invariant` for an ACK, and when branch and method are in use.
   */
  request(
    method: string,
    branch: string,
    text: string,
    flow: Flow,
    user: C,
    now: Ms,
  ): ClientTransaction<C> | undefined {
    const clients = this.#clientsOf(method);
    if (method === "ACK") throw new Invariant("an ACK has no client transaction (RFC 3261 §17)");
    if (clients.has(branch)) throw new Invariant(`client transaction ${branch} exists`);
    if (this.isFull) return undefined;
    const client = new ClientTransaction(method, branch, text, flow, user, this.#deps);
    clients.set(flatText(branch), client);
    client.start(now);
    return client;
  }

  /** A response from the network (§17.1.3); false: it matches no transaction of this node. */
  receiveResponse(response: Response, now: Ms): boolean {
    const { branch } = response.via;
    const { method } = response.cseq;
    const client = branch === undefined ? undefined : this.#clientsOf(method).get(branch);
    if (client?.method !== method) return false;
    client.receive(response, now);
    return true;
  }

  /** Fires the timers that are due. */
  advance(now: Ms): void {
    this.#wheel.advance(now);
  }

  #clientsOf(method: string): Map<string, ClientTransaction<C>> {
    return method === "CANCEL" ? this.#cancels : this.#clients;
  }

  #create(key: string, request: Request, flow: Flow): ServerTransaction<S> | "full" {
    if (this.isFull) return "full";
    const server = new ServerTransaction<S>(flatText(key), request, flow, this.#deps);
    this.#servers.set(server.key, server);
    const onFlow = server.isInvite ? inviteKey(request, flow) : undefined;
    if (onFlow !== undefined) {
      server.inviteKey = flatText(onFlow);
      this.#invites.set(server.inviteKey, server);
    }
    return server;
  }

  #inviteOn(request: Request, flow: Flow): ServerTransaction<S> | undefined {
    const onFlow = inviteKey(request, flow);
    return onFlow === undefined ? undefined : this.#invites.get(onFlow);
  }

  #receiveAck(ack: Request): Received<S> {
    return this.#accepted.has(ackKey(ack)) ? "ack-to-2xx" : "unmatched-ack";
  }

  /** The INVITE of an ACK whose own key matches no transaction. */
  #inviteOfAck(request: Request, flow: Flow): ServerTransaction<S> | undefined {
    if (request.method !== "ACK") return undefined;
    const latest = this.#inviteOn(request, flow);
    return latest?.sequenceNumber === request.cseq.number ? latest : this.#legacyAck(request);
  }

  /** RFC 2543: the ACK to an initial INVITE has the To tag of the response, and the INVITE had none (§17.2.3). */
  #legacyAck(request: Request): ServerTransaction<S> | undefined {
    if (isTransactionId(request.via.branch)) return undefined;
    const initial = this.#servers.get(serverKey(request, "INVITE", ""));
    return initial?.responseToTag === request.to.tag ? initial : undefined;
  }
}

/** Removes the entry, unless a later transaction has the same key. */
function forget<Server>(table: Map<string, Server>, key: string | undefined, server: Server): void {
  if (key !== undefined && table.get(key) === server) table.delete(key);
}
