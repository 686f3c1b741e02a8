/**
 * A scripted phone with one UDP socket on a loopback address, or one TCP connection to the exchange. With `behindNat` it is behind a port-restricted NAT: it receives only from the
 * exchange's address. It stores all received messages with their source. Requests are retransmitted (RFC 3261 §17.1). `phone-answers.ts`
 * answers requests.
 */
import { ClientTransactions, writeRequest, type Sent } from "./client-transactions.ts";
import { digestAnswer } from "./digest-answer.ts";
import { openTcp, openUdp, type PhoneTransport } from "./phone-transport.ts";
import { answerRequest, type Answering, type Served } from "./phone-answers.ts";
import {
  header,
  headerList,
  method,
  parseSip,
  status,
  token,
  uriOf,
  type HeaderLine,
  type SipText,
} from "./sip-text.ts";

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface PhoneLogin {
  readonly username: string;
  readonly domain: string;
  readonly password: string;
}

export interface ReceivedMessage {
  readonly at: number;
  readonly from: Endpoint;
  readonly message: SipText;
}

export interface Dialog {
  readonly callId: string;
  /** The values of From and To in this side's requests, with tags. */
  readonly local: string;
  readonly remote: string;
  readonly remoteTarget: string;
  readonly routes: readonly string[];
}

export interface PhoneOptions {
  readonly login: PhoneLogin;
  readonly exchange: Endpoint;
  /** Default 127.0.0.1. */
  readonly address?: string;
  readonly port?: number;
  /** True: packets from other addresses than the exchange's are dropped and added to `dropped`. */
  readonly behindNat?: boolean;
  /** Default: udp. */
  readonly transport?: "udp" | "tcp";
  readonly answering?: Answering;
}

export class Phone implements Disposable {
  readonly login: PhoneLogin;
  readonly exchange: Endpoint;
  readonly received: ReceivedMessage[] = [];
  readonly dropped: ReceivedMessage[] = [];
  /** The reaction to a call. It may be changed at any time. */
  answering: Answering;
  readonly served = new Map<string, Served>();
  #transport: PhoneTransport | undefined;
  readonly #behindNat: boolean;
  readonly #requests: ClientTransactions;
  #sequence = 0;

  private constructor(options: PhoneOptions) {
    this.login = options.login;
    this.exchange = options.exchange;
    this.answering = options.answering ?? "answer";
    this.#behindNat = options.behindNat ?? false;
    this.#requests = new ClientTransactions((text) => this.send(text), options.transport === "tcp");
  }

  static async open(options: PhoneOptions): Promise<Phone> {
    const phone = new Phone(options);
    const at = { address: options.address ?? "127.0.0.1", port: options.port ?? 0 };
    const receive = (text: string, from: Endpoint): void => phone.#receive(text, from);
    phone.#transport =
      options.transport === "tcp" ? await openTcp(at, options.exchange, receive) : await openUdp(at, receive);
    return phone;
  }

  get local(): Endpoint {
    return this.#transport?.local ?? { address: "", port: 0 };
  }

  /** The exchange closed this phone's TCP connection. */
  get isDisconnected(): boolean {
    return this.#transport?.isClosed === true;
  }

  get contact(): string {
    const parameter = this.#transport?.name === "TCP" ? ";transport=tcp" : "";
    return `sip:${this.login.username}@${this.local.address}:${this.local.port}${parameter}`;
  }

  /** Registers, with credentials after a challenge. Resolves with the final response. */
  async register(expires = 300, login: PhoneLogin = this.login): Promise<SipText> {
    const headers = [
      ["Contact", `<${this.contact}>`],
      ["Expires", String(expires)],
    ] as const;
    return await this.authorised("REGISTER", `sip:${login.domain}`, {
      to: `<sip:${login.username}@${login.domain}>`,
      headers,
      login,
    }).final;
  }

  /** Sends INVITE to a user of this phone's domain or to a URI. A failure is acknowledged at once, a 2xx by `acknowledge`. */
  invite(to: string): Sent & { cancel(): Sent } {
    const headers = [
      ["Contact", `<${this.contact}>`],
      ["Content-Type", "application/sdp"],
    ] as const;
    return this.authorised("INVITE", this.#uriFor(to), { headers, body: this.sdp() });
  }

  message(to: string, text: string): Sent {
    return this.authorised("MESSAGE", this.#uriFor(to), {
      headers: [["Content-Type", "text/plain"]],
      body: text,
    });
  }

  /** Calls, waits for the 2xx and acknowledges it. Resolves with the caller's side of the dialog. */
  async call(to: string): Promise<Dialog> {
    const response = await this.invite(to).final;
    if (status(response) !== 200)
      throw new Error(`${this.login.username} calls ${to}: ${response.startLine}`);
    const dialog = callerDialog(response);
    this.acknowledge(dialog, header(response, "cseq"));
    return dialog;
  }

  /** Sends the ACK to a 2xx (§13.2.2.4), which is not answered. */
  acknowledge(dialog: Dialog, cseq: string): void {
    this.send(
      writeRequest("ACK", dialog.remoteTarget, this.#inDialogHeaders(dialog, cseq.replace(/\S+$/, "ACK"))),
    );
  }

  /** Sends a request within a dialog (BYE, INVITE, INFO ...), without credentials. */
  inDialog(name: string, dialog: Dialog, body = ""): Sent {
    this.#sequence += 1;
    return this.#requests.start(
      name,
      dialog.remoteTarget,
      this.#inDialogHeaders(dialog, `${this.#sequence + 1000} ${name}`),
      body,
    );
  }

  /** Sends a request outside a dialog, and again with credentials after a challenge. */
  authorised(
    name: string,
    uri: string,
    {
      to = `<${uri}>`,
      headers = [],
      body = "",
      login = this.login,
    }: {
      to?: string;
      headers?: readonly HeaderLine[];
      body?: string;
      login?: PhoneLogin;
    } = {},
  ): Sent & { cancel(): Sent } {
    const [fromTag, callId] = [token(), token()];
    const common = (): HeaderLine[] => [
      ["Via", this.#via()],
      ["From", `<sip:${login.username}@${login.domain}>;tag=${fromTag}`],
      ["To", to],
      ["Call-ID", callId],
      ["Route", `<sip:${this.exchange.address}:${this.exchange.port};lr>`],
      ...headers,
      ["CSeq", `${++this.#sequence} ${name}`],
    ];
    let current = this.#requests.start(name, uri, common(), body);
    const responses = current.responses;
    const final = current.final.then(async (response) => {
      if (status(response) !== 401 && status(response) !== 407) return response;
      const proxy = status(response) === 407;
      const challenge = header(response, proxy ? "proxy-authenticate" : "www-authenticate");
      const answer = [
        proxy ? "Proxy-Authorization" : "Authorization",
        digestAnswer(challenge, login, name, uri),
      ] as const;
      current = this.#requests.start(name, uri, [...common(), answer], body, responses);
      return await current.final;
    });
    return { ...current, final, cancel: () => this.#requests.cancel(current) };
  }

  /** Resolves with the first received message that matches, before or after this call. Rejects after `timeoutMs`. */
  async waitFor(matches: (message: SipText) => boolean, timeoutMs = 5000): Promise<ReceivedMessage> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = this.received.find((entry) => matches(entry.message));
      if (found) return found;
      if (Date.now() > deadline)
        throw new Error(`${this.login.username} waited ${timeoutMs} ms; it received ${this.transcript()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** How many requests of this method were received, repeated ones included. */
  count(name: string): number {
    return this.received.filter(({ message }) => message.startLine.startsWith(`${name} `)).length;
  }

  transcript(): string {
    return (
      this.received
        .map(({ message }) => `${message.startLine.slice(0, 40)} (${method(message)})`)
        .join("; ") || "nothing"
    );
  }

  sdp(): string {
    const { address } = this.local;
    return [
      "v=0",
      `o=- 1 1 IN IP4 ${address}`,
      "s=-",
      `c=IN IP4 ${address}`,
      "t=0 0",
      "m=audio 40000 RTP/AVP 0",
      "",
    ].join("\r\n");
  }

  /** Sends one message, by default to the exchange. */
  send(text: string, to: Endpoint = this.exchange): void {
    this.#transport?.send(text, to);
  }

  [Symbol.dispose](): void {
    this.#transport?.close();
    this.#requests.stop();
    for (const entry of this.served.values()) entry.stop();
  }

  #receive(text: string, from: Endpoint): void {
    const { address, port } = from;
    const entry = { at: Date.now(), from, message: parseSip(text) };
    if (this.#behindNat && (address !== this.exchange.address || port !== this.exchange.port)) {
      this.dropped.push(entry);
      return;
    }
    if (entry.message.startLine === "") return;
    this.received.push(entry);
    if (status(entry.message) > 0) this.#requests.receive(entry.message);
    else answerRequest(this, entry);
  }

  #inDialogHeaders(dialog: Dialog, cseq: string): readonly HeaderLine[] {
    const routes = dialog.routes.map((route) => ["Route", route] as const);
    return [
      ["Via", this.#via()],
      ["From", dialog.local],
      ["To", dialog.remote],
      ["Call-ID", dialog.callId],
      ["CSeq", cseq],
      ["Contact", `<${this.contact}>`],
      ...routes,
    ];
  }

  #via(): string {
    const { address, port } = this.local;
    return `SIP/2.0/${this.#transport?.name ?? "UDP"} ${address}:${port};branch=z9hG4bK${token()};rport`;
  }

  #uriFor(to: string): string {
    return to.startsWith("sip:") ? to : `sip:${to}@${this.login.domain}`;
  }
}

/** The caller's side of the dialog of a 2xx, with the Record-Route reversed (§12.1.2). */
export function callerDialog(response: SipText): Dialog {
  const target = uriOf(headerList(response, "contact")[0] ?? "");
  const routes = headerList(response, "record-route").reverse();
  return {
    callId: header(response, "call-id"),
    local: header(response, "from"),
    remote: header(response, "to"),
    remoteTarget: target,
    routes,
  };
}
