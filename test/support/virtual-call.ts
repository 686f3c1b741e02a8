/** Both ends of a call between virtual phones: what a caller tries, and what rings. */
import type { Ms } from "../../sip-node/src/wire/units.ts";
import { header, type HeaderLine, type SipText, status, tag } from "./sip-text.ts";
import { calleeDialog, callerDialog, type VirtualDialog } from "./virtual-dialog.ts";
import type { Stop } from "./virtual-net.ts";
import type { VirtualPhone } from "./virtual-phone.ts";
import type { VirtualRequest } from "./virtual-request.ts";

const t1: Ms = 500;
const t2: Ms = 4_000;

/** A request outside of dialogs, made once more with credentials when it is challenged. */
export class Attempt {
  /** The one on its way, or the last. */
  request: VirtualRequest;
  /** Status of every response but the challenge that was answered, repeated ones too. */
  readonly statuses: number[] = [];

  constructor(make: (heard: (response: SipText) => void, challenge: SipText | undefined) => VirtualRequest) {
    let isChallenged = false;
    this.request = make((response) => {
      if (isChallenged) return; // a repeated challenge
      const code = status(response);
      isChallenged = code === 401 || code === 407;
      if (isChallenged) this.request = make((later) => this.heard(later), response);
      else this.heard(response);
    }, undefined);
  }

  /** Of the final response; 0 while there is none. */
  get status(): number {
    return this.request.status;
  }

  get final(): SipText | undefined {
    return this.request.final;
  }

  protected heard(response: SipText): void {
    this.statuses.push(status(response));
  }
}

export class OutgoingCall extends Attempt {
  /** One for each 2xx with a To tag of its own (§13.2.2.4). */
  readonly dialogs: VirtualDialog[] = [];
  /** Set to false, the call's 2xx are not acknowledged. */
  acknowledges = true;
  readonly #phone: VirtualPhone;

  constructor(phone: VirtualPhone, make: ConstructorParameters<typeof Attempt>[0]) {
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

  protected override heard(response: SipText): void {
    super.heard(response);
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
  /** Undefined for a re-INVITE, whose dialog is there. */
  readonly dialog: VirtualDialog | undefined;
  /** Of the last response sent. */
  status = 0;
  isAcknowledged = false;
  isCancelled = false;
  /** How often the INVITE came again. */
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

  acknowledged(): void {
    if (this.status < 200) return;
    this.isAcknowledged = true;
    this.#stop();
  }

  cancelled(): void {
    this.isCancelled = true;
    this.reply(487);
  }

  repeated(): void {
    this.repeats += 1;
    if (this.status > 0 && !this.isAcknowledged) this.#send("");
  }

  /** §13.3.1.4 and Timer G: a final response is repeated until its ACK comes. */
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
