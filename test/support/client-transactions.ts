/** The client transactions of a test phone: retransmission (RFC 3261 §17.1), and the ACK to a failed INVITE (§17.1.1.3). */
import { branch, header, method, status, writeSip, type HeaderLine, type SipText } from "./sip-text.ts";

/** A request that was sent. */
export interface Sent {
  readonly name: string;
  readonly uri: string;
  readonly headers: readonly HeaderLine[];
  readonly callId: string;
  /** All responses so far, repeated ones too. */
  readonly responses: SipText[];
  /** The final response; rejects after 40 s of silence. */
  readonly final: Promise<SipText>;
}

const t1Ms = 500;
const t2Ms = 4000;
const finalTimeoutMs = 40_000;

export class ClientTransactions {
  readonly #send: (text: string) => void;
  readonly #isReliable: boolean;
  readonly #waiting = new Map<string, (response: SipText) => void>();

  /** `isReliable`: nothing is sent again. */
  constructor(send: (text: string) => void, isReliable = false) {
    this.#send = send;
    this.#isReliable = isReliable;
  }

  /** `responses` collects the responses to several attempts of one request. */
  start(
    name: string,
    uri: string,
    headers: readonly HeaderLine[],
    body = "",
    responses: SipText[] = [],
  ): Sent {
    const text = writeRequest(name, uri, headers, body);
    const key = `${branch({ startLine: "", headers: headers.map(([field, value]) => [field.toLowerCase(), value]), body })} ${name}`;
    const final = new Promise<SipText>((resolve, reject) => {
      const stopRepeating = this.#repeat(text, name);
      const timeout = setTimeout(() => {
        stopRepeating();
        reject(new Error(`no final response to ${name} ${uri}, but ${responses.length} other responses`));
      }, finalTimeoutMs).unref();
      this.#waiting.set(key, (response) => {
        responses.push(response);
        if (name === "INVITE" || status(response) >= 200) stopRepeating();
        if (status(response) < 200) return;
        clearTimeout(timeout);
        if (name === "INVITE" && status(response) >= 300) this.#send(acknowledgement(uri, headers, response));
        resolve(response);
      });
    });
    final.catch(() => undefined);
    this.#send(text);
    return { name, uri, headers, callId: valueOf(headers, "Call-ID"), responses, final };
  }

  /** CANCEL of an INVITE: its Request-URI, branch, From, To, Route and number (§9.1). */
  cancel({ uri, headers, callId }: Sent): Sent {
    const copied = headers.filter(([field]) => ["Via", "From", "To", "Route"].includes(field));
    const cseq = valueOf(headers, "CSeq").replace(/\S+$/, "CANCEL");
    return this.start("CANCEL", uri, [...copied, ["Call-ID", callId], ["CSeq", cseq]]);
  }

  receive(response: SipText): void {
    this.#waiting.get(`${branch(response)} ${method(response)}`)?.(response);
  }

  stop(): void {
    this.#waiting.clear();
  }

  /** Timers A and E: each interval is twice as long as the previous one, at most T2 for other requests than INVITE. */
  #repeat(text: string, name: string): () => void {
    if (this.#isReliable) return () => {};
    let intervalMs = t1Ms;
    let timer: NodeJS.Timeout;
    const resend = () => {
      if (this.#waiting.size > 0) this.#send(text);
      intervalMs = Math.min(intervalMs * 2, name === "INVITE" ? 64 * t1Ms : t2Ms);
      timer = setTimeout(resend, intervalMs).unref();
    };
    timer = setTimeout(resend, intervalMs).unref();
    return () => clearTimeout(timer);
  }
}

export function writeRequest(name: string, uri: string, headers: readonly HeaderLine[], body = ""): string {
  return writeSip(`${name} ${uri} SIP/2.0`, [...headers, ["Max-Forwards", "70"]], body);
}

function acknowledgement(uri: string, headers: readonly HeaderLine[], response: SipText): string {
  const copied = headers.filter(([field]) => ["Via", "From", "Call-ID", "Route"].includes(field));
  const cseq = header(response, "cseq").replace(/\S+$/, "ACK");
  return writeRequest("ACK", uri, [...copied, ["To", header(response, "to")], ["CSeq", cseq]]);
}

function valueOf(headers: readonly HeaderLine[], field: string): string {
  return headers.find(([name]) => name === field)?.[1] ?? "";
}
