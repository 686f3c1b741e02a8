/** A server transaction: what one request was answered with, for as long as it may be asked again (RFC 3261 §17.2). */
import type { Flow } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";
import { parseMessage } from "../wire/parse-message.ts";
import type { Ms } from "../wire/units.ts";
import type { Machine } from "./machine.ts";
import {
  type InviteServerAction,
  type InviteServerEvent,
  type InviteServerState,
  inviteServer,
} from "./invite-server.ts"; // prettier-ignore
import {
  type NonInviteServerAction,
  type NonInviteServerEvent,
  type NonInviteServerState,
  nonInviteServer,
} from "./non-invite-server.ts";
import { type Timing, Transaction } from "./transaction.ts";

export type ServerState = InviteServerState | NonInviteServerState;
export type ServerEvent = InviteServerEvent | NonInviteServerEvent;
export type ServerAction = InviteServerAction | NonInviteServerAction;

/** Who hears of a server transaction's actions. */
export interface ServerHost<Context> extends Timing {
  sendResponse(bytes: Uint8Array, server: ServerTransaction<Context>): void;
  serverFailed(server: ServerTransaction<Context>, cause: "timeout" | "transport", now: Ms): void;
  serverEnded(server: ServerTransaction<Context>): void;
}

export class ServerTransaction<Context> extends Transaction<
  ServerState,
  ServerEvent,
  ServerAction,
  Uint8Array
> {
  readonly kind = "server";
  /** As `serverKey` says. */
  readonly key: string;
  readonly request: Request;
  /** The transaction user's own, for instance its response context. */
  context: Context | undefined = undefined;
  readonly #host: ServerHost<Context>;
  #lastResponse: Uint8Array | undefined = undefined;

  constructor(key: string, request: Request, flow: Flow, host: ServerHost<Context>) {
    super(request.method === "INVITE" ? invite : nonInvite, flow, host);
    this.key = key;
    this.request = request;
    this.#host = host;
  }

  get isInvite(): boolean {
    return this.request.method === "INVITE";
  }

  /** Moves by a response of the transaction user; false when the table has no place for it. Called by `Transactions`. */
  respond(status: number, bytes: Uint8Array, now: Ms): boolean {
    return this.on(responseEvent(status, this.isInvite), now, bytes) !== "ignored";
  }

  /** The To tag of the response sent last: what the ACK of an RFC 2543 client carries (§17.2.3). */
  get responseToTag(): string | undefined {
    if (this.#lastResponse === undefined) return undefined;
    const response = parseMessage(Buffer.from(this.#lastResponse).toString("latin1"));
    return response.kind === "malformed" ? undefined : response.to.tag;
  }

  protected override act(action: ServerAction, now: Ms, bytes: Uint8Array | undefined): void {
    switch (action) {
      case "send response":
        this.#lastResponse = bytes;
        if (bytes !== undefined) this.#host.sendResponse(bytes, this);
        break;
      case "send last response":
        if (this.#lastResponse !== undefined) this.#host.sendResponse(this.#lastResponse, this);
        break;
      case "timeout to TU":
        this.#host.serverFailed(this, "timeout", now);
        break;
      case "error to TU":
        this.#host.serverFailed(this, "transport", now);
        break;
      default: // "ACK to TU" is the caller's answer; timers have been seen to
    }
  }

  protected override ended(): void {
    this.#host.serverEnded(this);
  }
}

type ServerMachine = Machine<ServerState, ServerEvent, ServerAction>;
const invite = inviteServer as unknown as ServerMachine;
const nonInvite = nonInviteServer as unknown as ServerMachine;

function responseEvent(status: number, isInvite: boolean): ServerEvent {
  if (status < 200) return "1xx from TU";
  if (!isInvite) return "200-699 from TU";
  return status < 300 ? "2xx from TU" : "300-699 from TU";
}
