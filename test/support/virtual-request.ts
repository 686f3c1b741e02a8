/** A client transaction of a virtual phone: retransmission (RFC 3261 §17.1), and the ACK to a failed INVITE (§17.1.1.3). */
import type { Ms } from "../../sip-node/src/wire/units.ts";
import { header, type HeaderLine, type SipText, status, writeSip } from "./sip-text.ts";
import type { Stop } from "./virtual-net.ts";

const t1: Ms = 500;
const t2: Ms = 4_000;

/** The phone of a request. */
export interface Sender {
  send(text: string): void;
  after(delay: Ms, act: () => void): Stop;
}

export class VirtualRequest {
  readonly name: string;
  readonly uri: string;
  /** The top Via first. */
  readonly headers: readonly HeaderLine[];
  readonly responses: SipText[] = [];
  /** Timer B or F fired. */
  isSilent = false;
  readonly #sender: Sender;
  readonly #text: string;
  readonly #onResponse: (response: SipText) => void;
  #stops: Stop[] = [];

  /** Sends at once. `onResponse` gets each response, repeated ones included. */
  constructor(
    sender: Sender,
    name: string,
    uri: string,
    headers: readonly HeaderLine[],
    body: string,
    onResponse: (response: SipText) => void = () => {},
  ) {
    this.name = name;
    this.uri = uri;
    this.headers = headers;
    this.#sender = sender;
    this.#text = writeSip(`${name} ${uri} SIP/2.0`, headers, body);
    this.#onResponse = onResponse;
    this.#stops = [sender.after(64 * t1, () => this.#timeOut())];
    this.#send(t1);
  }

  /** The first final response. */
  get final(): SipText | undefined {
    return this.responses.find((response) => status(response) >= 200);
  }

  /** The status of the first final response; 0: there is none. */
  get status(): number {
    return this.final === undefined ? 0 : status(this.final);
  }

  receive(response: SipText): void {
    const code = status(response);
    this.responses.push(response);
    if (this.name === "INVITE" || code >= 200) this.#stop();
    if (this.name === "INVITE" && code >= 300) this.#acknowledge(response);
    this.#onResponse(response);
  }

  #send(pause: Ms): void {
    this.#sender.send(this.#text);
    const next = this.name === "INVITE" ? 2 * pause : Math.min(2 * pause, t2);
    this.#stops[1] = this.#sender.after(pause, () => this.#send(next));
  }

  #acknowledge(response: SipText): void {
    const copied = this.headers.filter(([name]) =>
      ["Via", "Max-Forwards", "From", "Call-ID", "Route"].includes(name),
    );
    const cseq = header(response, "cseq").replace(/\S+$/, "ACK");
    this.#sender.send(
      writeSip(`ACK ${this.uri} SIP/2.0`, [...copied, ["To", header(response, "to")], ["CSeq", cseq]]),
    );
  }

  #timeOut(): void {
    this.isSilent = true;
    this.#stop();
  }

  #stop(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }
}
