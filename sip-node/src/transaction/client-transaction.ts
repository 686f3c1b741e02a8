/** A client transaction: one request to one place, until its answers are over (RFC 3261 §17.1). */
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
import type { Machine } from "./machine.ts";
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

/** Who hears of a client transaction's actions. */
export interface ClientHost<Context> extends Timing {
  sendRequest(bytes: Uint8Array, client: ClientTransaction<Context>): void;
  response(client: ClientTransaction<Context>, response: Response, now: Ms): void;
  clientFailed(client: ClientTransaction<Context>, cause: "timeout" | "transport", now: Ms): void;
  clientEnded(client: ClientTransaction<Context>): void;
}

export class ClientTransaction<Context> extends Transaction<
  ClientState,
  ClientEvent,
  ClientAction,
  Response
> {
  readonly kind = "client";
  readonly method: string;
  /** The branch of our Via, magic cookie included. */
  readonly branch: string;
  /** The transaction user's own, for instance its branch of a response context. */
  readonly context: Context;
  readonly #host: ClientHost<Context>;
  readonly #request: Uint8Array;

  constructor(
    method: string,
    branch: string,
    request: Uint8Array,
    flow: Flow,
    context: Context,
    host: ClientHost<Context>,
  ) {
    super(method === "INVITE" ? invite : nonInvite, flow, host);
    this.method = method;
    this.branch = branch;
    this.context = context;
    this.#request = request;
    this.#host = host;
  }

  get isInvite(): boolean {
    return this.method === "INVITE";
  }

  /** A provisional response and no final one has come: an INVITE may be cancelled now, and not before (§9.1). */
  get hasProvisional(): boolean {
    return this.state === "Proceeding";
  }

  /** Sends the request and starts its timers. Called by `Transactions`. */
  start(now: Ms): void {
    this.begin(now);
  }

  /** Moves by a response that matched. Called by `Transactions`. */
  receive(response: Response, now: Ms): void {
    this.on(responseEvent(response.status, this.isInvite), now, response);
  }

  protected override act(action: ClientAction, now: Ms, response: Response | undefined): void {
    switch (action) {
      case "send request":
        this.#host.sendRequest(this.#request, this);
        break;
      case "send ACK":
        if (response !== undefined) this.#host.sendRequest(this.#ack(response), this);
        break;
      case "response to TU":
        if (response !== undefined) this.#host.response(this, response, now);
        break;
      case "timeout to TU":
        this.#host.clientFailed(this, "timeout", now);
        break;
      case "error to TU":
        this.#host.clientFailed(this, "transport", now);
        break;
      default: // timers have been seen to
    }
  }

  protected override ended(): void {
    this.#host.clientEnded(this);
  }

  #ack(response: Response): Uint8Array {
    const { buffer, byteOffset, byteLength } = this.#request;
    const invite = Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
    return Buffer.from(buildAck(invite, response), "latin1");
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
