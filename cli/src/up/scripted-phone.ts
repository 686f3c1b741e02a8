/**
 * A phone that does as it is told: registers, calls, answers every call, hangs up. On the npm package `sip`, so that the exchange is
 * judged by a stack that shares no line with it.
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

export interface PhonePlan {
  readonly login: PhoneLogin;
  /** The phone's own loopback address and port. */
  readonly address: string;
  readonly port: number;
  readonly exchange: { readonly address: string; readonly port: number };
  /** Told of every message the phone sends (`out`) or gets (`in`). */
  readonly heard: (direction: "in" | "out", message: SipRequest | SipResponse) => void;
}

/** What one side of an established call needs to hang up (RFC 3261 §12). */
export interface Dialog {
  readonly remoteTarget: SipAddress["uri"];
  readonly routes: readonly SipAddress[];
  readonly local: SipAddress;
  readonly remote: SipAddress;
  readonly callId: string;
  readonly sequence: number;
}

const answerPatienceMs = 10_000;
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
  readonly plan: PhonePlan;
  readonly #stack: SipStack;
  readonly #contact: SipAddress;
  /** The dialogs this phone answered, by Call-ID; kept until the other side hangs up. */
  readonly answered = new Map<string, Dialog>();
  /** Call-IDs of answered calls whose ACK came. */
  readonly acknowledged = new Set<string>();
  /** Call-IDs that the other side ended. */
  readonly hungUp = new Set<string>();
  #sequence = 0;

  constructor(plan: PhonePlan) {
    this.plan = plan;
    this.#contact = { uri: `sip:${plan.login.username}@${plan.address}:${plan.port}` };
    const logger = {
      send: (message: SipRequest | SipResponse) => plan.heard("out", message),
      recv: (message: SipRequest | SipResponse) => plan.heard("in", message),
      error: () => undefined,
    };
    const options = { address: plan.address, port: plan.port, tcp: false, logger };
    this.#stack = sip.create(options, (request) => this.#serve(request));
  }

  /** OPTIONS to the exchange itself, which answers it without a challenge. The final status; 408 when no answer came. */
  async options(): Promise<number> {
    const { address, port } = this.plan.exchange;
    const target = `sip:${address}:${port}`;
    return (await this.#ask(this.#request("OPTIONS", target, { uri: target }))).status;
  }

  /** Registers for `expires` seconds (0: removes), with credentials once challenged. The final status. */
  async register(expires: number): Promise<number> {
    const headers = { contact: [this.#contact], expires: String(expires) };
    const response = await this.#authorised(() =>
      this.#request("REGISTER", `sip:${this.plan.login.domain}`, this.#self(), headers),
    );
    return response.status;
  }

  /** Calls a user of the same domain and confirms with ACK. Returns the final status, the provisional ones before it, and the dialog. */
  async call(username: string): Promise<{ status: number; provisional: readonly number[]; dialog?: Dialog }> {
    const uri = `sip:${username}@${this.plan.login.domain}`;
    const provisional: number[] = [];
    const body = { "content-type": "application/sdp", contact: [this.#contact] };
    const invite = () => ({
      ...this.#request("INVITE", uri, { uri }, body),
      content: sdp(this.plan.address),
    });
    const response = await this.#authorised(invite, (status) => provisional.push(status));
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

  /** Sends BYE. The final status; it must not be challenged, so a 401 is returned as it came. */
  async hangUp(dialog: Dialog): Promise<number> {
    return (await this.#ask(this.#inDialog("BYE", dialog, dialog.sequence + 1))).status;
  }

  [Symbol.dispose](): void {
    this.#stack.destroy();
  }

  /** The user agent server: 180 and 200 to INVITE, 200 to whatever else it understands. */
  #serve(request: SipRequest): void {
    const { headers } = request;
    const toTag = headers.to.params?.["tag"] ?? newToken();
    const to = { ...headers.to, params: { ...headers.to.params, tag: toTag } };
    const answer = (status: number, reason: string, extra: Record<string, unknown> = {}, content = "") => {
      const response = sip.makeResponse(request, status, reason);
      this.#stack.send({ ...response, headers: { ...response.headers, to, ...extra }, content });
    };
    if (request.method === "ACK") {
      this.acknowledged.add(headers["call-id"]);
      return;
    }
    if (request.method === "BYE") this.hungUp.add(headers["call-id"]);
    if (request.method !== "INVITE") return answer(200, "OK");
    const routes = headers["record-route"] ?? [];
    const extra = { contact: [this.#contact], ...(routes.length > 0 ? { "record-route": routes } : {}) };
    answer(180, "Ringing", extra);
    answer(200, "OK", { ...extra, "content-type": "application/sdp" }, sdp(this.plan.address));
    this.answered.set(headers["call-id"], dialogOf(headers, to, headers.from, routes, 0));
  }

  /** Sends a request, and once more with credentials when the answer is a challenge (§22.2). */
  async #authorised(
    build: () => SipRequest,
    provisional: (status: number) => void = () => undefined,
  ): Promise<SipResponse> {
    const first = build();
    const challenge = await this.#ask(first, provisional);
    if (challenge.status !== 401 && challenge.status !== 407) return challenge;
    const { username, password } = this.plan.login;
    const again = build();
    const second = {
      ...again,
      headers: { ...again.headers, "call-id": first.headers["call-id"], from: first.headers.from },
    };
    digest.signRequest({}, second, challenge, { user: username, password });
    return await this.#ask(second, provisional);
  }

  #ask(request: SipRequest, provisional: (status: number) => void = () => undefined): Promise<SipResponse> {
    return new Promise((resolve) => {
      const silence = { status: 408, reason: "No answer", headers: request.headers };
      const patience = setTimeout(() => resolve(silence), answerPatienceMs);
      this.#stack.send(request, (response) => {
        if (response.status < 200) return provisional(response.status);
        clearTimeout(patience);
        resolve(response);
      });
    });
  }

  #request(method: string, uri: string, to: SipAddress, extra: Record<string, unknown> = {}): SipRequest {
    const { address, port } = this.plan.exchange;
    const headers = {
      to,
      from: { ...this.#self(), params: { tag: newToken() } },
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

  #self(): SipAddress {
    return { uri: `sip:${this.plan.login.username}@${this.plan.login.domain}` };
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
