/**
 * A scripted UDP phone: one socket on a loopback address, behind a port-restricted NAT if asked (then it hears nobody but the exchange's
 * address). It keeps everything it got with the source address. Requests are repeated as §17.1 says; INVITEs are served by `onInvite`.
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { digestAnswer } from "./digest-answer.ts";
import { answerRequest, type Answering, type Served } from "./phone-answers.ts";
import {
  branch,
  header,
  headerList,
  method,
  parseSip,
  status,
  token,
  uriOf,
  writeSip,
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

export interface Heard {
  readonly at: number;
  readonly from: Endpoint;
  readonly message: SipText;
}

export interface Dialog {
  readonly callId: string;
  /** With tags, as they stand in From and To of this side's requests. */
  readonly local: string;
  readonly remote: string;
  readonly remoteTarget: string;
  readonly routes: readonly string[];
}

/** A request under way. */
export interface Sent {
  readonly callId: string;
  /** All responses so far, repeated ones too. */
  readonly responses: SipText[];
  /** The final response; rejects after `patienceMs` of silence. */
  readonly final: Promise<SipText>;
  readonly request: { readonly uri: string; readonly headers: readonly (readonly [string, string])[] };
}

export interface PhoneOptions {
  readonly login: PhoneLogin;
  readonly exchange: Endpoint;
  /** Default 127.0.0.1. */
  readonly address?: string;
  readonly port?: number;
  /** True: packets from anywhere but the exchange's address and port are dropped and kept in `dropped`. */
  readonly behindNat?: boolean;
  readonly answering?: Answering;
}

const t1Ms = 500;
const t2Ms = 4000;

export class Phone implements Disposable {
  readonly login: PhoneLogin;
  readonly exchange: Endpoint;
  readonly heard: Heard[] = [];
  readonly dropped: Heard[] = [];
  /** What this phone does when it is called; may be changed at any time. */
  answering: Answering;
  readonly served = new Map<string, Served>();
  readonly #socket: Socket;
  readonly #behindNat: boolean;
  readonly #waiting = new Map<string, (response: SipText) => void>();
  #local: Endpoint = { address: "", port: 0 };
  #sequence = 0;

  private constructor(options: PhoneOptions) {
    this.login = options.login;
    this.exchange = options.exchange;
    this.answering = options.answering ?? "answer";
    this.#behindNat = options.behindNat ?? false;
    this.#socket = createSocket("udp4", (data, from) => this.#receive(data, from));
  }

  static async open(options: PhoneOptions): Promise<Phone> {
    const phone = new Phone(options);
    phone.#socket.bind(options.port ?? 0, options.address ?? "127.0.0.1");
    await once(phone.#socket, "listening");
    phone.#local = phone.#socket.address();
    return phone;
  }

  get local(): Endpoint {
    return this.#local;
  }

  get contact(): string {
    return `sip:${this.login.username}@${this.#local.address}:${this.#local.port}`;
  }

  /** REGISTER with credentials once challenged; the final response. */
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

  /** INVITE to a user of this phone's domain or to a URI. Its 2xx is acknowledged by `acknowledge`, a failure at once. */
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

  /** Calls, waits for 2xx, sends ACK: the dialog of the caller's side. */
  async call(to: string): Promise<Dialog> {
    const response = await this.invite(to).final;
    if (status(response) !== 200)
      throw new Error(`${this.login.username} calls ${to}: ${response.startLine}`);
    const dialog = callerDialog(response);
    this.acknowledge(dialog, header(response, "cseq"));
    return dialog;
  }

  /** ACK of a 2xx (§13.2.2.4): a request of its own, answered by nothing. */
  acknowledge(dialog: Dialog, cseq: string): void {
    this.send(
      this.#write("ACK", dialog.remoteTarget, this.#inDialogHeaders(dialog, cseq.replace(/\S+$/, "ACK"))),
    );
  }

  /** A request within a dialog: BYE, INVITE, INFO ... without credentials. */
  inDialog(name: string, dialog: Dialog, body = ""): Sent {
    this.#sequence += 1;
    return this.#request(
      name,
      dialog.remoteTarget,
      this.#inDialogHeaders(dialog, `${this.#sequence + 1000} ${name}`),
      body,
    );
  }

  /** A request outside of dialogs, repeated with credentials when challenged. */
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
      headers?: readonly (readonly [string, string])[];
      body?: string;
      login?: PhoneLogin;
    } = {},
  ): Sent & { cancel(): Sent } {
    const common = [
      ["From", `<sip:${login.username}@${login.domain}>;tag=${token()}`],
      ["To", to],
      ["Call-ID", token()],
      ["Route", `<sip:${this.exchange.address}:${this.exchange.port};lr>`],
      ...headers,
    ] as const;
    let current = this.#request(name, uri, [...common, ["CSeq", `${++this.#sequence} ${name}`]], body);
    const responses = current.responses;
    const final = current.final.then(async (response) => {
      if (status(response) !== 401 && status(response) !== 407) return response;
      const proxy = status(response) === 407;
      const challenge = header(response, proxy ? "proxy-authenticate" : "www-authenticate");
      const answer = [
        proxy ? "Proxy-Authorization" : "Authorization",
        digestAnswer(challenge, login, name, uri),
      ] as const;
      current = this.#request(
        name,
        uri,
        [...common, ["CSeq", `${++this.#sequence} ${name}`], answer],
        body,
        responses,
      );
      return await current.final;
    });
    return { ...current, final, cancel: () => this.#cancel(current) };
  }

  /** Resolves with the first message heard, before or after, that fits; rejects after `patienceMs`. */
  async waitFor(fits: (message: SipText) => boolean, patienceMs = 5000): Promise<Heard> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const found = this.heard.find((entry) => fits(entry.message));
      if (found) return found;
      if (Date.now() > deadline)
        throw new Error(`${this.login.username} waited ${patienceMs} ms in vain; heard ${this.transcript()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** How many requests of this method were heard, repeated ones too. */
  count(name: string): number {
    return this.heard.filter(({ message }) => message.startLine.startsWith(`${name} `)).length;
  }

  transcript(): string {
    return (
      this.heard.map(({ message }) => `${message.startLine.slice(0, 40)} (${method(message)})`).join("; ") ||
      "nothing"
    );
  }

  sdp(): string {
    const { address } = this.#local;
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

  /** Sends text as one datagram; to the exchange unless told otherwise. */
  send(text: string, to: Endpoint = this.exchange): void {
    this.#socket.send(text, to.port, to.address);
  }

  [Symbol.dispose](): void {
    this.#socket.close();
    this.#waiting.clear();
    for (const entry of this.served.values()) entry.stop();
  }

  #receive(data: Buffer, { address, port }: RemoteInfo): void {
    const entry = { at: Date.now(), from: { address, port }, message: parseSip(data.toString()) };
    if (this.#behindNat && (address !== this.exchange.address || port !== this.exchange.port)) {
      this.dropped.push(entry);
      return;
    }
    if (entry.message.startLine === "") return;
    this.heard.push(entry);
    if (status(entry.message) > 0)
      this.#waiting.get(`${branch(entry.message)} ${method(entry.message)}`)?.(entry.message);
    else answerRequest(this, entry);
  }

  #cancel({ request, callId }: Sent): Sent {
    const kept = request.headers.filter(([name]) => ["Via", "From", "To", "Route"].includes(name));
    const cseq = request.headers.find(([name]) => name === "CSeq")?.[1].replace(/\S+$/, "CANCEL") ?? "";
    return this.#request("CANCEL", request.uri, [...kept, ["Call-ID", callId], ["CSeq", cseq]]);
  }

  #request(
    name: string,
    uri: string,
    given: readonly (readonly [string, string])[],
    body = "",
    responses: SipText[] = [],
  ): Sent {
    const headers = given.some(([other]) => other === "Via")
      ? given
      : [["Via", this.#via()] as const, ...given];
    const key = `${branch({ startLine: "", headers: [["via", headers[0]?.[1] ?? ""]], body: "" })} ${name}`;
    const text = this.#write(name, uri, headers, body);
    const final = new Promise<SipText>((resolve, reject) => {
      let pauseMs = t1Ms;
      let timer = setTimeout(repeat.bind(this), pauseMs);
      const silence = setTimeout(() => {
        clearTimeout(timer);
        reject(
          new Error(
            `${this.login.username}: no final response to ${name} ${uri}; heard ${this.transcript()}`,
          ),
        );
      }, 40_000);
      silence.unref();
      timer.unref();
      function repeat(this: Phone): void {
        if (!this.#waiting.has(key)) return;
        this.send(text);
        pauseMs = Math.min(pauseMs * 2, name === "INVITE" ? 64 * t1Ms : t2Ms);
        timer = setTimeout(repeat.bind(this), pauseMs);
        timer.unref();
      }
      this.#waiting.set(key, (response) => {
        responses.push(response);
        if (name === "INVITE" || status(response) >= 200) clearTimeout(timer);
        if (status(response) < 200) return;
        clearTimeout(silence);
        if (name === "INVITE" && status(response) >= 300) this.#acknowledgeFailure(uri, headers, response);
        resolve(response);
      });
    });
    final.catch(() => undefined);
    this.send(text);
    return {
      callId: headers.find(([other]) => other === "Call-ID")?.[1] ?? "",
      responses,
      final,
      request: { uri, headers },
    };
  }

  /** §17.1.1.3: the INVITE's branch, From, Call-ID and Route; the response's To. */
  #acknowledgeFailure(uri: string, headers: readonly (readonly [string, string])[], response: SipText): void {
    const kept = headers.filter(([name]) => ["Via", "From", "Call-ID", "Route"].includes(name));
    const cseq = header(response, "cseq").replace(/\S+$/, "ACK");
    this.send(this.#write("ACK", uri, [...kept, ["To", header(response, "to")], ["CSeq", cseq]]));
  }

  #inDialogHeaders(dialog: Dialog, cseq: string): readonly (readonly [string, string])[] {
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

  #write(name: string, uri: string, headers: readonly (readonly [string, string])[], body = ""): string {
    return writeSip(`${name} ${uri} SIP/2.0`, [...headers, ["Max-Forwards", "70"]], body);
  }

  #via(): string {
    return `SIP/2.0/UDP ${this.#local.address}:${this.#local.port};branch=z9hG4bK${token()};rport`;
  }

  #uriFor(to: string): string {
    return to.startsWith("sip:") ? to : `sip:${to}@${this.login.domain}`;
  }
}

/** The caller's side of the dialog that a 2xx makes: its Record-Route turned round (§12.1.2). */
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
