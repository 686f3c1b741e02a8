/**
 * A phone for tests: registers, calls, answers every call, hangs up. It uses the npm package `sip`, an independent SIP stack that shares
 * no code with Strowger.
 */
import { randomBytes } from "node:crypto";
import {
  digest,
  sip,
  type SipAddress,
  type SipHeaders,
  type SipRequest,
  type SipResponse,
  type SipStack,
} from "./sip-package.ts";

export interface PhoneLogin {
  readonly username: string;
  readonly domain: string;
  readonly password: string;
}

interface PhoneOptions {
  readonly login: PhoneLogin;
  /** The phone's own loopback address and port. */
  readonly address: string;
  readonly port: number;
  readonly exchange: { readonly address: string; readonly port: number };
  /** Called for every message that the phone sends (`out`) or receives (`in`). */
  readonly onMessage: (direction: "in" | "out", message: SipRequest | SipResponse) => void;
}

/** The dialog state that one side of a call needs to hang up (RFC 3261 §12). */
interface Dialog {
  readonly remoteTarget: SipAddress["uri"];
  readonly routes: readonly SipAddress[];
  readonly local: SipAddress;
  readonly remote: SipAddress;
  readonly callId: string;
  readonly sequence: number;
}

const responseTimeoutMs = 10_000;
const sdp = (address: string) =>
  [
    "v=0",
    `o=- 1 1 IN IP4 ${address}`,
    "s=-",
    `c=IN IP4 ${address}`,
    "t=0 0",
    "m=audio 40000 RTP/AVP 0",
    "",
  ].join("\r\n");

export class ScriptedPhone implements Disposable {
  readonly options: PhoneOptions;
  readonly #stack: SipStack;
  readonly #contact: SipAddress;
  /** The dialogs of the calls that this phone answered, by Call-ID. */
  readonly answered = new Map<string, Dialog>();
  /** The Call-IDs of the answered calls whose ACK was received. */
  readonly acknowledged = new Set<string>();
  /** The Call-IDs of the calls that the other side ended. */
  readonly hungUp = new Set<string>();
  #sequence = 0;

  constructor(options: PhoneOptions) {
    this.options = options;
    this.#contact = { uri: `sip:${options.login.username}@${options.address}:${options.port}` };
    const logger = {
      send: (message: SipRequest | SipResponse) => options.onMessage("out", message),
      recv: (message: SipRequest | SipResponse) => options.onMessage("in", message),
      error: () => undefined,
    };
    const stackOptions = { address: options.address, port: options.port, tcp: false, logger };
    this.#stack = sip.create(stackOptions, (request) => this.#answer(request));
  }

  /** Sends OPTIONS to the exchange itself, which answers without a challenge. Returns the final status; 408 if no response was received. */
  async sendOptions(): Promise<number> {
    const { address, port } = this.options.exchange;
    const target = `sip:${address}:${port}`;
    return (await this.#send(this.#request("OPTIONS", target, { uri: target }))).status;
  }

  /** Registers for `expires` seconds (0: removes the binding), with credentials after a challenge. Returns the final status. */
  async register(expires: number): Promise<number> {
    const headers = { contact: [this.#contact], expires: String(expires) };
    const response = await this.#sendWithCredentials(() =>
      this.#request("REGISTER", `sip:${this.options.login.domain}`, this.#ownAddress(), headers),
    );
    return response.status;
  }

  /** Calls a user of the same domain and sends ACK. Returns the final status, the provisional ones before it, and the dialog. */
  async call(username: string): Promise<{ status: number; provisional: readonly number[]; dialog?: Dialog }> {
    const uri = `sip:${username}@${this.options.login.domain}`;
    const provisional: number[] = [];
    const body = { "content-type": "application/sdp", contact: [this.#contact] };
    const invite = () => ({
      ...this.#request("INVITE", uri, { uri }, body),
      content: sdp(this.options.address),
    });
    const response = await this.#sendWithCredentials(invite, (status) => provisional.push(status));
    if (response.status >= 300) return { status: response.status, provisional };
    const routes = [...(response.headers["record-route"] ?? [])].reverse();
    const dialog = dialogOf(
      response.headers,
      response.headers.from,
      response.headers.to,
      routes,
      response.headers.cseq.seq,
    );
    this.#stack.send(this.#inDialog("ACK", dialog, dialog.sequence));
    return { status: response.status, provisional, dialog };
  }

  /** Sends BYE and returns the final status. A BYE must not be challenged, so a 401 or 407 is returned too. */
  async hangUp(dialog: Dialog): Promise<number> {
    return (await this.#send(this.#inDialog("BYE", dialog, dialog.sequence + 1))).status;
  }

  [Symbol.dispose](): void {
    this.#stack.destroy();
  }

  /** The user agent server: answers INVITE with 180 and 200, and other requests with 200. */
  #answer(request: SipRequest): void {
    const { headers } = request;
    const toTag = headers.to.params?.["tag"] ?? newToken();
    const to = { ...headers.to, params: { ...headers.to.params, tag: toTag } };
    const respond = (status: number, reason: string, extra: Record<string, unknown> = {}, content = "") => {
      const response = sip.makeResponse(request, status, reason);
      this.#stack.send({ ...response, headers: { ...response.headers, to, ...extra }, content });
    };
    if (request.method === "ACK") {
      this.acknowledged.add(headers["call-id"]);
      return;
    }
    if (request.method === "BYE") this.hungUp.add(headers["call-id"]);
    if (request.method !== "INVITE") return respond(200, "OK");
    const routes = headers["record-route"] ?? [];
    const extra = { contact: [this.#contact], ...(routes.length > 0 ? { "record-route": routes } : {}) };
    respond(180, "Ringing", extra);
    respond(200, "OK", { ...extra, "content-type": "application/sdp" }, sdp(this.options.address));
    this.answered.set(headers["call-id"], dialogOf(headers, to, headers.from, routes, 0));
  }

  /** Sends a request. After a challenge it sends the request again, with credentials (§22.2). */
  async #sendWithCredentials(
    build: () => SipRequest,
    provisional: (status: number) => void = () => undefined,
  ): Promise<SipResponse> {
    const first = build();
    const challenge = await this.#send(first, provisional);
    if (challenge.status !== 401 && challenge.status !== 407) return challenge;
    const { username, password } = this.options.login;
    const again = build();
    const second = {
      ...again,
      headers: { ...again.headers, "call-id": first.headers["call-id"], from: first.headers.from },
    };
    digest.signRequest({}, second, challenge, { user: username, password });
    return await this.#send(second, provisional);
  }

  #send(request: SipRequest, provisional: (status: number) => void = () => undefined): Promise<SipResponse> {
    return new Promise((resolve) => {
      const timeoutResponse = { status: 408, reason: "No answer", headers: request.headers };
      const timer = setTimeout(() => resolve(timeoutResponse), responseTimeoutMs);
      this.#stack.send(request, (response) => {
        if (response.status < 200) return provisional(response.status);
        clearTimeout(timer);
        resolve(response);
      });
    });
  }

  #request(method: string, uri: string, to: SipAddress, extra: Record<string, unknown> = {}): SipRequest {
    const { address, port } = this.options.exchange;
    const headers = {
      to,
      from: { ...this.#ownAddress(), params: { tag: newToken() } },
      "call-id": newToken(),
      cseq: { seq: ++this.#sequence, method },
      "max-forwards": "70",
      route: [{ uri: `sip:${address}:${port};lr` }],
      ...extra,
    };
    return { method, uri, headers };
  }

  #inDialog(method: string, dialog: Dialog, seq: number): SipRequest {
    const { local: from, remote: to, routes: route, callId } = dialog;
    const headers = { to, from, "call-id": callId, cseq: { seq, method }, "max-forwards": "70", route };
    return { method, uri: dialog.remoteTarget, headers };
  }

  #ownAddress(): SipAddress {
    return { uri: `sip:${this.options.login.username}@${this.options.login.domain}` };
  }
}

function dialogOf(
  headers: SipHeaders,
  local: SipAddress,
  remote: SipAddress,
  routes: readonly SipAddress[],
  sequence: number,
): Dialog {
  return {
    remoteTarget: headers.contact?.[0]?.uri ?? remote.uri,
    routes,
    local,
    remote,
    callId: headers["call-id"],
    sequence,
  };
}

function newToken(): string {
  return randomBytes(8).toString("hex");
}
