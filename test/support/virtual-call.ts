/** The two sides of a call between virtual phones. */
import type { Ms } from "../../sip-node/src/wire/units.ts";
import { header, type HeaderLine, type SipText, status, tag } from "./sip-text.ts";
import { calleeDialog, callerDialog, type VirtualDialog } from "./virtual-dialog.ts";
import type { Stop } from "./virtual-net.ts";
import type { VirtualPhone } from "./virtual-phone.ts";
import type { VirtualRequest } from "./virtual-request.ts";

const t1: Ms = 500;
const t2: Ms = 4_000;

/** A request outside a dialog. It is sent again with credentials after a challenge. */
export class AuthenticatedRequest {
  /** The current or last request. */
  request: VirtualRequest;
  /** The status of each response, repeated ones included, except the challenge. */
  readonly statuses: number[] = [];
  /** The user no longer waits for the answer, so a challenge is not answered. */
  protected isAbandoned = false;

  constructor(
    make: (onResponse: (response: SipText) => void, challenge: SipText | undefined) => VirtualRequest,
  ) {
    let isChallenged = false;
    this.request = make((response) => {
      if (isChallenged) return; // a repeated challenge
      const code = status(response);
      isChallenged = (code === 401 || code === 407) && !this.isAbandoned;
      if (isChallenged) this.request = make((later) => this.receive(later), response);
      else this.receive(response);
    }, undefined);
  }

  /** The status of the final response; 0: there is none. */
  get status(): number {
    return this.request.status;
  }

  get final(): SipText | undefined {
    return this.request.final;
  }

  protected receive(response: SipText): void {
    this.statuses.push(status(response));
  }
}

export class OutgoingCall extends AuthenticatedRequest {
  /** One for each To tag of the 2xx responses (§13.2.2.4). */
  readonly dialogs: VirtualDialog[] = [];
  /** False: no 2xx of this call is acknowledged. */
  acknowledges = true;
  readonly #phone: VirtualPhone;

  constructor(phone: VirtualPhone, make: ConstructorParameters<typeof AuthenticatedRequest>[0]) {
    super(make);
    this.#phone = phone;
  }

  get dialog(): VirtualDialog {
    const [first] = this.dialogs;
    if (first === undefined) throw new Error(`no dialog: ${this.statuses.join(" ")}`);
    return first;
  }

  get isRinging(): boolean {
    return this.statuses.includes(180);
  }

  cancel(more: readonly HeaderLine[] = []): VirtualRequest {
    return this.#phone.cancel(this.request, more);
  }

  /** The user hangs up before the answer. The CANCEL waits for the first provisional response (§9.1). */
  abandon(): void {
    if (this.isAbandoned || this.status > 0) return;
    this.isAbandoned = true;
    if (this.request.responses.length > 0) this.cancel();
  }

  protected override receive(response: SipText): void {
    super.receive(response);
    if (this.isAbandoned && this.status === 0 && this.request.responses.length === 1) this.cancel();
    if (status(response) < 200 || status(response) > 299) return;
    const toTag = tag(header(response, "to"));
    let dialog = this.dialogs.find(({ remote }) => tag(remote) === toTag);
    if (dialog === undefined) {
      dialog = callerDialog(response);
      this.dialogs.push(dialog);
      this.#phone.dialogs.push(dialog);
    }
    if (this.acknowledges) this.#phone.acknowledge(dialog, header(response, "cseq"));
  }
}

export class IncomingCall {
  readonly invite: SipText;
  readonly toTag: string;
  /** Undefined for a re-INVITE, which has a dialog already. */
  readonly dialog: VirtualDialog | undefined;
  /** The status of the last response. */
  status = 0;
  isAcknowledged = false;
  isCancelled = false;
  /** How many retransmissions of the INVITE arrived. */
  repeats = 0;
  readonly #phone: VirtualPhone;
  #stop: Stop = () => {};
  #repeatUntil: Ms = 0;

  constructor(phone: VirtualPhone, invite: SipText, toTag: string) {
    this.#phone = phone;
    this.invite = invite;
    this.toTag = tag(header(invite, "to")) || toTag;
    this.dialog = tag(header(invite, "to")) === "" ? calleeDialog(invite, toTag) : undefined;
  }

  reply(code: number, body = ""): void {
    if (this.status >= 200) return;
    this.status = code;
    this.#send(body);
    if (code < 200) return;
    this.#repeatUntil = this.#phone.now + 64 * t1;
    this.#repeat(t1, body);
    if (code < 300 && this.dialog !== undefined) this.#phone.dialogs.push(this.dialog);
  }

  receiveAck(): void {
    if (this.status < 200) return;
    this.isAcknowledged = true;
    this.#stop();
  }

  receiveCancel(): void {
    this.isCancelled = true;
    this.reply(487);
  }

  receiveRetransmission(): void {
    this.repeats += 1;
    if (this.status > 0 && !this.isAcknowledged) this.#send("");
  }

  /** §13.3.1.4 and Timer G: a final response is repeated until its ACK arrives. */
  #repeat(pause: Ms, body: string): void {
    this.#stop = this.#phone.after(pause, () => {
      if (this.#phone.now >= this.#repeatUntil) return;
      this.#send(body);
      this.#repeat(Math.min(2 * pause, t2), body);
    });
  }

  #send(body: string): void {
    this.#phone.respond(this.invite, this.status, this.toTag, body);
  }
}
