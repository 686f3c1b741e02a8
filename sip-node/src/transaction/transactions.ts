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
import { CallTransactions } from "./call-transactions.ts";
import { ClientTable } from "./client-table.ts";
import {
  type ClientDependencies,
  ClientTransaction,
  type ClientTransactionUser,
} from "./client-transaction.ts";
import { Invariant } from "./invariant.ts";
import { isTransactionId } from "./server-key.ts";
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
  /** Server transactions by Call-ID. */
  readonly #calls = new Map<string, CallTransactions<S>>();
  #serverCount = 0;
  /** No two requests have the same branch in our Via, but a CANCEL and its INVITE (§9.1). */
  readonly #clients = new ClientTable<C>();
  readonly #cancels = new ClientTable<C>();
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
        this.#remove(server);
        deps.ended?.(server);
      },
      clientEnded: (client) => {
        this.#clientsOf(client.method).remove(client);
        deps.ended?.(client);
      },
    };
  }

  /** Server and client transactions, also those that only absorb retransmissions (32 s); running timers. */
  get counts(): { readonly server: number; readonly client: number; readonly timers: number } {
    return {
      server: this.#serverCount,
      client: this.#clients.size + this.#cancels.size,
      timers: this.#wheel.size,
    };
  }

  /** Whether new requests are refused. */
  get isFull(): boolean {
    return this.#serverCount + this.#clients.size + this.#cancels.size >= this.#limit;
  }

  /** A request from the network (§17.2). */
  receiveRequest(request: Request, flow: Flow, now: Ms): Received<S> {
    const isAck = request.method === "ACK";
    const call = this.#calls.get(request.callId);
    const server = call?.find(request) ?? inviteOfAck(call, request, flow);
    if (server === undefined) {
      if (!isAck) return this.#create(call, request, flow);
      return call?.hasAccepted(request) === true ? "ack-to-2xx" : "unmatched-ack";
    }
    const event = isAck ? "ACK" : server.isInvite ? "INVITE" : "request";
    const cell = server.on(event, now);
    return isAck && cell !== "ignored" && cell.actions.includes("ACK to TU") ? "ack-to-2xx" : "absorbed";
  }

  /** The transaction that this request retransmits, or that this ACK acknowledges (§17.2.3); `flow` is the source of the request. */
  find(request: Request, flow: Flow): ServerTransaction<S> | undefined {
    const call = this.#calls.get(request.callId);
    return call?.find(request) ?? inviteOfAck(call, request, flow);
  }

  /**
   * The INVITE that a CANCEL names (§9.2), in any state; undefined: 481. A CANCEL whose CSeq number is not the INVITE's matches the latest
   * INVITE with its branch and Call-ID on this flow.
   */
  findInvite(cancel: Request, flow: Flow): ServerTransaction<S> | undefined {
    const call = this.#calls.get(cancel.callId);
    return call?.find(cancel, "INVITE") ?? call?.findInviteOn(cancel, flow);
  }

  /** Sends a response of the TU, provisional or final; false: not sent, because a final response was sent before. */
  respond(server: ServerTransaction<S>, status: number, text: string, now: Ms): boolean {
    return server.respond(status, text, now);
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
    if (clients.get(branch) !== undefined) throw new Invariant(`client transaction ${branch} exists`);
    if (this.isFull) return undefined;
    const client = new ClientTransaction(method, flatText(branch), text, flow, user, this.#deps);
    clients.add(client);
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

  #clientsOf(method: string): ClientTable<C> {
    return method === "CANCEL" ? this.#cancels : this.#clients;
  }

  #create(
    known: CallTransactions<S> | undefined,
    request: Request,
    flow: Flow,
  ): ServerTransaction<S> | "full" {
    if (this.isFull || known?.isFull === true) return "full";
    const call = known ?? new CallTransactions<S>(request.callId);
    const server = new ServerTransaction<S>(request, flow, call.callId, this.#deps);
    call.add(server);
    this.#serverCount += 1;
    if (known === undefined) this.#calls.set(call.callId, call);
    return server;
  }

  #remove(server: ServerTransaction<S>): void {
    const call = this.#calls.get(server.callId);
    call?.remove(server);
    this.#serverCount -= 1;
    if (call?.isEmpty === true) this.#calls.delete(server.callId);
  }
}

/** The INVITE of an ACK whose own facts match no transaction. */
function inviteOfAck<S>(
  call: CallTransactions<S> | undefined,
  request: Request,
  flow: Flow,
): ServerTransaction<S> | undefined {
  if (request.method !== "ACK" || call === undefined) return undefined;
  const latest = call.findInviteOn(request, flow);
  return latest?.sequenceNumber === request.cseq.number ? latest : legacyAck(call, request);
}

/** RFC 2543: the ACK to an initial INVITE has the To tag of the response, and the INVITE had none (§17.2.3). */
function legacyAck<S>(call: CallTransactions<S>, request: Request): ServerTransaction<S> | undefined {
  if (isTransactionId(request.via.branch)) return undefined;
  const initial = call.find(request, "INVITE", "");
  return initial?.responseToTag === request.to.tag ? initial : undefined;
}
