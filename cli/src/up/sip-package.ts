/**
 * The npm package `sip` as far as the self-check uses it; it brings no types. It is an independent SIP stack, which is the point.
 *
 * Its habits, each of which cost someone an hour: a next hop whose host equals the stack's own address is taken for a flow token, so each
 * phone has a loopback address of its own; `send` adds a Via to the message it is given, so a message is sent once; a socket that cannot be
 * bound crashes the process, so the port is tried before; a 404 or 503 in a callback may be the stack's own; the ACK to a failed INVITE
 * carries no Route.
 */
import { createRequire } from "node:module";

export interface SipUri {
  readonly schema?: string;
  readonly user?: string;
  readonly host: string;
  readonly port?: number;
  readonly params: Readonly<Record<string, string | null>>;
}

export interface SipAddress {
  readonly name?: string;
  readonly uri: string | SipUri;
  readonly params?: Readonly<Record<string, string | null>>;
}

export interface SipHeaders {
  readonly to: SipAddress;
  readonly from: SipAddress;
  readonly "call-id": string;
  readonly cseq: { readonly seq: number; readonly method: string };
  readonly via?: readonly { readonly params: Readonly<Record<string, string | null>> }[];
  readonly contact?: readonly SipAddress[];
  readonly route?: readonly SipAddress[];
  readonly "record-route"?: readonly SipAddress[];
  readonly [name: string]: unknown;
}

export interface SipRequest {
  readonly method: string;
  readonly uri: string | SipUri;
  readonly version?: string;
  readonly headers: SipHeaders;
  readonly content?: string;
}

export interface SipResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: SipHeaders;
  readonly content?: string;
}

export interface SipStack {
  send(message: SipRequest, answered?: (response: SipResponse) => void): void;
  send(message: SipResponse): void;
  destroy(): void;
}

export interface SipStackOptions {
  readonly address: string;
  readonly port: number;
  readonly tcp: boolean;
  readonly logger: {
    readonly send: (message: SipRequest | SipResponse) => void;
    readonly recv: (message: SipRequest | SipResponse) => void;
    readonly error: (error: Error) => void;
  };
}

export interface SipPackage {
  create(options: SipStackOptions, received: (request: SipRequest) => void): SipStack;
  makeResponse(request: SipRequest, status: number, reason: string): SipResponse;
  stringifyUri(uri: string | SipUri): string;
}

/** What a phone remembers of a challenge. */
export type DigestContext = Record<string, unknown>;

export interface DigestPackage {
  /** Adds credentials for the challenge in `response` to the request's headers. */
  signRequest(
    context: DigestContext,
    request: SipRequest,
    response: SipResponse,
    login: { readonly user: string; readonly password: string },
  ): unknown;
}

const require = createRequire(import.meta.url);
export const sip = require("sip") as SipPackage;
export const digest = require("sip/digest") as DigestPackage;
