/** A server transaction: the responses to one request, until no retransmission of the request can arrive (RFC 3261 §17.2). */
import { flatText } from "../wire/flat-text.ts";
import type { Flow } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";
import { parseMessage } from "../wire/parse-message.ts";
import { detached } from "../wire/recent.ts";
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
import { isTransactionId, legacyFacts } from "./server-key.ts";
import { type Timing, Transaction } from "./transaction.ts";

export type ServerState = InviteServerState | NonInviteServerState;
export type ServerEvent = InviteServerEvent | NonInviteServerEvent;
export type ServerAction = InviteServerAction | NonInviteServerAction;

export interface ServerDependencies<Context> extends Timing {
  sendResponse(text: string, server: ServerTransaction<Context>, isRetransmission: boolean): void;
  serverEnded(server: ServerTransaction<Context>): void;
}

export class ServerTransaction<Context> extends Transaction<ServerState, ServerEvent, ServerAction, string> {
  readonly kind = "server";
  readonly callId: string;
  /** Of the top Via; undefined: it identifies no transaction, and `legacyFacts` are compared instead. */
  readonly branch: string | undefined;
  readonly sentByHost: string;
  readonly sentByPort: number;
  readonly legacyFacts: string | undefined;
  readonly fromTag: string | undefined;
  readonly method: string;
  /** Of the request, which has no To tag. */
  readonly isInitial: boolean;
  readonly sequenceNumber: number;
  /** Undefined when a final response was sent: the rest of its time, it only absorbs retransmissions. */
  request: Request | undefined;
  /** An INVITE that was answered with 2xx: its ACK has a branch of its own (§13.2.2.4). */
  isAccepted = false;
  /** The next one of its Call-ID. Belongs to `CallTransactions`. */
  older: ServerTransaction<Context> | undefined = undefined;
  /** Belongs to the transaction user; undefined until it sets one. */
  context: Context | undefined = undefined;
  readonly #deps: ServerDependencies<Context>;
  #lastResponse: string | undefined = undefined;

  /** `callId`: of the request, and no part of its text. */
  constructor(request: Request, flow: Flow, callId: string, deps: ServerDependencies<Context>) {
    super(request.method === "INVITE" ? invite : nonInvite, flow, deps);
    const { via, from, to } = request;
    const isIdentified = via.branch !== undefined && isTransactionId(via.branch);
    this.branch = isIdentified ? detached(via.branch) : undefined;
    this.sentByHost = detached(via.host);
    this.sentByPort = via.port ?? 5060;
    this.legacyFacts = isIdentified ? undefined : flatText(legacyFacts(request, to.tag ?? ""));
    this.fromTag = from.tag === undefined ? undefined : detached(from.tag);
    this.callId = callId;
    this.method = request.method;
    this.isInitial = request.to.tag === undefined;
    this.sequenceNumber = request.cseq.number;
    this.request = request;
    this.#deps = deps;
  }

  get isInvite(): boolean {
    return this.method === "INVITE";
  }

  /** Applies a response of the transaction user; false when the state ignores it. Called by `Transactions`. */
  respond(status: number, text: string, now: Ms): boolean {
    const isSent = this.on(responseEvent(status, this.isInvite), now, text) !== "ignored";
    if (!isSent) return false;
    if (this.isInvite && status >= 200 && status < 300) this.isAccepted = true;
    if (status >= 200) this.request = undefined;
    return true;
  }

  /** The To tag of the response sent last: the ACK of an RFC 2543 client has the same tag (§17.2.3). */
  get responseToTag(): string | undefined {
    if (this.#lastResponse === undefined) return undefined;
    const response = parseMessage(this.#lastResponse);
    return response.kind === "malformed" ? undefined : response.to.tag;
  }

  // "ACK to TU" is a result of `receiveRequest`; a proxy does nothing at "timeout to TU" and "error to TU" (§16.9)
  protected override act(action: ServerAction, _now: Ms, text: string | undefined): void {
    if (action === "send response") {
      this.#lastResponse = text;
      if (text !== undefined) this.#deps.sendResponse(text, this, false);
    } else if (action === "send last response" && this.#lastResponse !== undefined) {
      this.#deps.sendResponse(this.#lastResponse, this, true);
    }
  }

  protected override ended(): void {
    this.#deps.serverEnded(this);
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
