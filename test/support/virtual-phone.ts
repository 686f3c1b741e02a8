/**
 * A scripted phone on the virtual network. By default it is behind NAT: its messages contain a private address, and it receives only from
 * addresses that it has sent to. Other datagrams are added to `unexpected`.
 */
import type { Ms } from "../../sip-node/src/wire/units.ts";
import { digestAnswer } from "./digest-answer.ts";
import {
  branch,
  header,
  type HeaderLine,
  method,
  parseSip,
  type SipText,
  status,
  tag,
  writeSip,
} from "./sip-text.ts";
import { AuthenticatedRequest, IncomingCall, OutgoingCall } from "./virtual-call.ts";
import { contactOf, dialogHeaders, isWithin, type VirtualDialog } from "./virtual-dialog.ts";
import type { Datagram, Stop, VirtualNet } from "./virtual-net.ts";
import { type Sender, VirtualRequest } from "./virtual-request.ts";

export interface PhoneSettings {
  readonly username: string;
  /** Without NAT its messages name its public address. */
  readonly isBehindNat?: boolean;
  /** `address:port` as the exchange sees it; by default a different one for each phone. */
  readonly place?: string;
  /** The instance in its REGISTER, with reg-id 1 (RFC 5626). */
  readonly instance?: string;
}

export const answerAtOnce = (call: IncomingCall): void => {
  call.reply(180);
  call.reply(200);
};
export const ring = (call: IncomingCall): void => call.reply(180);
export const refuse = (code: number) => (call: IncomingCall) => call.reply(code);
export const stayOffline = (): void => {};

export class VirtualPhone implements Sender {
  readonly username: string;
  /** The user's name and the number of the phone. Call-IDs, tags and branches begin with it. */
  readonly name: string;
  /** All addresses so far, the current one last. */
  readonly places: string[];
  /** The reaction to a call. */
  answering: (call: IncomingCall) => void = answerAtOnce;
  /** The branch of all requests, for a phone that never changes it. */
  fixedBranch: string | undefined;
  /** Changes each message before it is sent. */
  rewrite: (text: string) => string = (text) => text;
  /** False: it sends nothing, as without power. */
  isOn = true;
  /** One for each INVITE outside a dialog. */
  readonly incomingCalls: IncomingCall[] = [];
  readonly reinvites: IncomingCall[] = [];
  /** Requests other than INVITE and ACK, each once. */
  readonly requests: SipText[] = [];
  /** Datagrams from addresses that it never sent to. */
  readonly unexpected: Datagram[] = [];
  readonly dialogs: VirtualDialog[] = [];
  readonly net: VirtualNet;
  readonly #exchange: string;
  readonly #isBehindNat: boolean;
  readonly #instance: string | undefined;
  /** Contact parameters of an INVITE and of a 2xx. */
  contactParameters = "";
  #private: string;
  readonly #clients = new Map<string, VirtualRequest>();
  readonly #served = new Map<string, IncomingCall>();
  readonly #answered = new Map<string, number>();
  readonly #sentTo = new Set<string>();
  #number = 0;
  #registerSequence = 0;

  constructor(net: VirtualNet, exchange: string, settings: PhoneSettings, number: number) {
    this.net = net;
    this.#exchange = exchange;
    this.username = settings.username;
    this.name = `${settings.username}-${number}`;
    this.#isBehindNat = settings.isBehindNat ?? true;
    this.#instance = settings.instance;
    this.#private = `10.0.0.${number}:5060`;
    this.places = [settings.place ?? `198.51.100.${number}:${20_000 + number}`];
    net.attach(this.place, (datagram) => this.#receive(datagram));
  }

  get place(): string {
    return this.places[this.places.length - 1] ?? "";
  }

  get now(): Ms {
    return this.net.now;
  }

  get aor(): string {
    return `sip:${this.username}@example.com`;
  }

  get contact(): string {
    return `sip:${this.username}@${this.#host}`;
  }

  /** Changes its address, as when a router restarts. Datagrams to the old one are lost. `host`: its private address behind NAT. */
  changePlace(place: string, host = this.#private): void {
    this.#private = host;
    this.net.detach(this.place);
    this.places.push(place);
    this.net.attach(place, (datagram) => this.#receive(datagram));
  }

  // ── Requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** `contact`: the value of the header field; "": no Contact (a fetch). */
  register(
    contact = this.#registered,
    { expires = 3600, password = this.username } = {},
  ): AuthenticatedRequest {
    const headers = [
      ["Expires", String(expires)],
      ...(contact === "" ? [] : [["Contact", contact] as const]),
    ] as const;
    return new AuthenticatedRequest((onResponse, challenge) =>
      this.#request("REGISTER", "sip:example.com", headers, "", onResponse, {
        challenge,
        password,
        to: this.aor,
        callId: `${this.name}-registration`,
        sequence: ++this.#registerSequence,
      }),
    );
  }

  call(username: string, password = this.username): OutgoingCall {
    return this.callUri(`sip:${username}@example.com`, password);
  }

  callUri(uri: string, password = this.username): OutgoingCall {
    const callId = this.#token("call");
    let sequence = 0;
    return new OutgoingCall(this, (onResponse, challenge) =>
      this.#request("INVITE", uri, [["Contact", this.#dialogContact]], "v=0\r\n", onResponse, {
        challenge,
        password,
        to: uri,
        callId,
        sequence: ++sequence,
      }),
    );
  }

  message(username: string, text: string): AuthenticatedRequest {
    const uri = `sip:${username}@example.com`;
    const callId = this.#token("message");
    let sequence = 0;
    return new AuthenticatedRequest((onResponse, challenge) =>
      this.#request("MESSAGE", uri, [["Content-Type", "text/plain"]], text, onResponse, {
        challenge,
        password: this.username,
        to: uri,
        callId,
        sequence: ++sequence,
      }),
    );
  }

  /** §9.1: Request-URI, top Via, From, To, Call-ID and number are the INVITE's. */
  cancel({ uri, headers }: VirtualRequest, more: readonly HeaderLine[] = []): VirtualRequest {
    const copied = headers.filter(([name]) =>
      ["Via", "From", "To", "Call-ID", "Max-Forwards"].includes(name),
    );
    const cseq = headers.find(([name]) => name === "CSeq")?.[1].replace(/\S+$/, "CANCEL") ?? "";
    return this.#start("CANCEL", uri, [...copied, ["CSeq", cseq], ...more], "");
  }

  /** Sends BYE, re-INVITE, INFO ... without credentials. The 2xx to a re-INVITE is acknowledged. */
  within(dialog: VirtualDialog, name: string): VirtualRequest {
    dialog.sequence += 1;
    const headers: HeaderLine[] = [
      ["Via", this.#via()],
      ...dialogHeaders(dialog, `${dialog.sequence} ${name}`),
      ...(name === "INVITE" ? [["Contact", this.#dialogContact] as const] : []),
    ];
    return this.#start(name, dialog.target, headers, "", (response) => {
      if (name === "INVITE" && status(response) >= 200 && status(response) < 300)
        this.acknowledge(dialog, header(response, "cseq"));
    });
  }

  /** Sends the ACK to a 2xx (§13.2.2.4). */
  acknowledge(dialog: VirtualDialog, cseq: string): void {
    const headers = dialogHeaders(dialog, cseq.replace(/\S+$/, "ACK"));
    this.send(writeSip(`ACK ${dialog.target} SIP/2.0`, [["Via", this.#via()], ...headers]));
  }

  // ── Sender ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  send(text: string): void {
    if (!this.isOn) return;
    this.#sentTo.add(this.#exchange);
    this.net.send(this.place, this.#exchange, this.rewrite(text));
  }

  after(delay: Ms, act: () => void): Stop {
    return this.net.after(delay, act);
  }

  /** RFC 5626 §3.5.1: a keepalive for the entry of its address translator. */
  keepAlive(): void {
    this.send("\r\n\r\n");
  }

  respond(request: SipText, code: number, toTag: string, body = ""): void {
    const copied = request.headers.filter(([name]) =>
      ["via", "from", "call-id", "cseq", "record-route"].includes(name),
    );
    const to = header(request, "to");
    const contact =
      method(request) === "INVITE" && code < 300 ? [["Contact", this.#dialogContact] as const] : [];
    const headers: HeaderLine[] = [...copied, ["To", tag(to) === "" ? `${to};tag=${toTag}` : to], ...contact];
    this.send(writeSip(`SIP/2.0 ${code} Reason`, headers, body));
  }

  // ── Receiving ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #receive(datagram: Datagram): void {
    if (!this.#sentTo.has(datagram.from)) {
      this.unexpected.push(datagram);
      if (this.#isBehindNat) return;
    }
    const message = parseSip(datagram.text);
    if (!this.isOn || message.startLine === "") return;
    if (status(message) > 0) this.#clients.get(`${branch(message)} ${method(message)}`)?.receive(message);
    else this.#serve(message, message.startLine.split(" ")[0] ?? "");
  }

  #serve(request: SipText, name: string): void {
    const key = `${branch(request)} INVITE`;
    if (name === "ACK") return this.#receiveAck(request);
    if (name === "INVITE") return this.#receiveInvite(key, request);
    const known = this.#answered.get(`${branch(request)} ${name}`);
    if (known !== undefined) return this.respond(request, known, "again");
    const served = this.#served.get(key);
    const isKnown = name === "CANCEL" ? served !== undefined : this.#isAcceptable(request);
    const code = isKnown ? 200 : 481;
    this.#answered.set(`${branch(request)} ${name}`, code);
    this.requests.push(request);
    this.respond(request, code, this.#token("tag"));
    if (name === "CANCEL") served?.receiveCancel();
  }

  #receiveInvite(key: string, invite: SipText): void {
    const served = this.#served.get(key);
    if (served !== undefined) return served.receiveRetransmission();
    const call = new IncomingCall(this, invite, this.#token("tag"));
    this.#served.set(key, call);
    if (call.dialog !== undefined) {
      this.incomingCalls.push(call);
      return this.answering(call);
    }
    this.reinvites.push(call);
    const dialog = this.dialogs.find((one) => isWithin(one, invite));
    if (dialog !== undefined) dialog.target = contactOf(invite);
    call.reply(dialog === undefined ? 481 : 200);
  }

  #receiveAck(ack: SipText): void {
    const isOf = (call: IncomingCall) =>
      header(call.invite, "call-id") === header(ack, "call-id") &&
      Number.parseInt(header(call.invite, "cseq"), 10) === Number.parseInt(header(ack, "cseq"), 10) &&
      call.toTag === tag(header(ack, "to"));
    for (const call of this.#served.values()) if (isOf(call)) call.receiveAck();
  }

  /** Whether the request belongs to a dialog of this phone, or has no To tag. */
  #isAcceptable(request: SipText): boolean {
    return tag(header(request, "to")) === "" || this.dialogs.some((dialog) => isWithin(dialog, request));
  }

  // ── Text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #request(
    name: string,
    uri: string,
    headers: readonly HeaderLine[],
    body: string,
    onResponse: (response: SipText) => void,
    options: {
      readonly challenge: SipText | undefined;
      readonly password: string;
      readonly to: string;
      readonly callId: string;
      readonly sequence: number;
    },
  ): VirtualRequest {
    const lines: HeaderLine[] = [
      ["Via", this.#via()],
      ["Max-Forwards", "70"],
      ["From", `<${this.aor}>;tag=${options.callId}-from`],
      ["To", `<${options.to}>`],
      ["Call-ID", options.callId],
      ["CSeq", `${options.sequence} ${name}`],
      ...headers,
      ...this.#credentials(name, uri, options.password, options.challenge),
    ];
    return this.#start(name, uri, lines, body, onResponse);
  }

  #credentials(name: string, uri: string, password: string, challenge: SipText | undefined): HeaderLine[] {
    if (challenge === undefined) return [];
    const isProxy = status(challenge) === 407;
    const value = header(challenge, isProxy ? "proxy-authenticate" : "www-authenticate");
    const answer = digestAnswer(value, { username: this.username, password }, name, uri);
    return [[isProxy ? "Proxy-Authorization" : "Authorization", answer]];
  }

  #start(
    name: string,
    uri: string,
    headers: readonly HeaderLine[],
    body: string,
    onResponse?: (response: SipText) => void,
  ): VirtualRequest {
    const via = headers[0]?.[1] ?? "";
    const key = `${/branch=([^;]+)/.exec(via)?.[1] ?? ""} ${name}`;
    const request = new VirtualRequest(this, name, uri, headers, body, onResponse);
    this.#clients.set(key, request);
    return request;
  }

  #via(): string {
    const branch = this.fixedBranch ?? this.#token("branch");
    return `SIP/2.0/UDP ${this.#host};branch=z9hG4bK-${branch};rport`;
  }

  get #registered(): string {
    const outbound = this.#instance === undefined ? "" : `;+sip.instance="${this.#instance}";reg-id=1`;
    return `<${this.contact}>${outbound}`;
  }

  get #dialogContact(): string {
    return `<${this.contact}>${this.contactParameters}`;
  }

  get #host(): string {
    return this.#isBehindNat ? this.#private : this.place;
  }

  #token(what: string): string {
    this.#number += 1;
    return `${this.name}-${what}-${this.#number}`;
  }
}
