/** A client transaction: one request to one destination, until no more responses can arrive (RFC 3261 §17.1). */
import type { Flow } from "../wire/flow.ts";
import type { Response } from "../wire/message.ts";
import type { Ms } from "../wire/units.ts";
import { buildAck } from "./ack.ts";
import {
  type InviteClientAction,
  type InviteClientEvent,
  type InviteClientState,
  inviteClient,
} from "./invite-client.ts"; // prettier-ignore
import { ignored, type Machine } from "./machine.ts";
import {
  type NonInviteClientAction,
  type NonInviteClientEvent,
  type NonInviteClientState,
  nonInviteClient,
} from "./non-invite-client.ts";
import { type Timing, Transaction } from "./transaction.ts";

export type ClientState = InviteClientState | NonInviteClientState;
export type ClientEvent = InviteClientEvent | NonInviteClientEvent;
export type ClientAction = InviteClientAction | NonInviteClientAction;

/** Receives the results of one client transaction: the transaction user's side of RFC 3261 §17.1. */
export interface ClientTransactionUser {
  /** Every provisional, the first final response, and every 2xx to INVITE (RFC 6026 §7.2). */
  receiveResponse(response: Response, now: Ms): void;
  /** The transaction ended without a final response: Timer B or F fired (408, §16.8), or the transport failed (503, §16.9). */
  clientFailed(cause: "timeout" | "transport", now: Ms): void;
}

export interface ClientDependencies<User extends ClientTransactionUser> extends Timing {
  sendRequest(text: string, client: ClientTransaction<User>, isRetransmission: boolean): void;
  clientEnded(client: ClientTransaction<User>): void;
}

export class ClientTransaction<User extends ClientTransactionUser> extends Transaction<
  ClientState,
  ClientEvent,
  ClientAction,
  Response
> {
  readonly kind = "client";
  readonly method: string;
  /** The branch of our Via, magic cookie included. */
  readonly branch: string;
  readonly user: User;
  /** Belongs to `ClientTable`. */
  next: ClientTransaction<User> | undefined = undefined;
  readonly #deps: ClientDependencies<User>;
  /** Empty when it cannot be sent again. */
  #request: string;
  #hasSentRequest = false;
  #hasSentAck = false;

  constructor(
    method: string,
    branch: string,
    request: string,
    flow: Flow,
    user: User,
    deps: ClientDependencies<User>,
  ) {
    super(method === "INVITE" ? invite : nonInvite, flow, deps);
    this.method = method;
    this.branch = branch;
    this.user = user;
    this.#request = request;
    this.#deps = deps;
  }

  get isInvite(): boolean {
    return this.method === "INVITE";
  }

  /** Received a provisional response and no final one: only now may an INVITE be cancelled (§9.1). */
  get hasProvisional(): boolean {
    return this.state === "Proceeding";
  }

  /** Sends the request and starts its timers. Called by `Transactions`. */
  start(now: Ms): void {
    this.begin(now);
  }

  /** Applies a response that matched. Called by `Transactions`. */
  receive(response: Response, now: Ms): void {
    const { status } = response;
    const cell = this.on(responseEvent(status, this.isInvite), now, response);
    // A 2xx after a 486 is ignored: the ACK of the next 486 still needs the INVITE
    if (cell !== ignored && status >= 200 && (!this.isInvite || status < 300)) this.#request = "";
  }

  protected override act(action: ClientAction, now: Ms, response: Response | undefined): void {
    switch (action) {
      case "send request":
        this.#deps.sendRequest(this.#request, this, this.#hasSentRequest);
        this.#hasSentRequest = true;
        break;
      case "send ACK":
        if (response !== undefined)
          this.#deps.sendRequest(buildAck(this.#request, response), this, this.#hasSentAck);
        this.#hasSentAck = true;
        break;
      case "response to TU":
        if (response !== undefined) this.user.receiveResponse(response, now);
        break;
      case "timeout to TU":
        this.user.clientFailed("timeout", now);
        break;
      case "error to TU":
        this.user.clientFailed("transport", now);
        break;
      default: // the timer actions are done by `Transaction`
    }
  }

  protected override ended(): void {
    this.#deps.clientEnded(this);
  }
}

type ClientMachine = Machine<ClientState, ClientEvent, ClientAction>;
const invite = inviteClient as unknown as ClientMachine;
const nonInvite = nonInviteClient as unknown as ClientMachine;

function responseEvent(status: number, isInvite: boolean): ClientEvent {
  if (status < 200) return "1xx";
  if (!isInvite) return "200-699";
  return status < 300 ? "2xx" : "300-699";
}
