/** The user agent server of `Phone`: its responses to requests. */
import type { Dialog, ReceivedMessage, Phone } from "./phone.ts";
import { branch, header, headerList, method, tag, token, uriOf, writeSip, type SipText } from "./sip-text.ts";

/** `answer`: 180 and 200; `ring`: 180 and wait; `busy`: 486; `silent`: no response. */
export type Answering = "answer" | "ring" | "busy" | "silent";

/** A server transaction of this phone. */
export interface Served {
  readonly invite: SipText;
  readonly dialog: Dialog;
  answer(code: number, reason: string): void;
  /** The last response, for retransmitted requests. */
  last: string;
  stop(): void;
}

const repeatMs = 500;

export function answerRequest(phone: Phone, { message, from }: ReceivedMessage): void {
  const name = message.startLine.split(" ")[0] ?? "";
  const toTag =
    tag(header(message, "to")) || `${phone.login.username}-${tag(header(message, "from")).slice(0, 12)}`;
  const reply = (request: SipText, code: number, reason: string, body = ""): string => {
    const text = response(phone, request, toTag, code, reason, body);
    phone.send(text, from);
    return text;
  };
  if (name === "ACK") return stopRepeating(phone, message);
  if (name === "CANCEL") return cancel(phone, message, reply);
  if (name !== "INVITE") {
    // This phone accepts every OPTIONS keepalive, BYE and MESSAGE.
    if (phone.answering !== "silent" || name === "BYE") reply(message, 200, "OK");
    return;
  }
  const known = phone.served.get(branch(message));
  if (known) {
    if (known.last !== "") phone.send(known.last, from);
    return;
  }
  serveInvite(phone, message, toTag, reply);
}

function serveInvite(
  phone: Phone,
  invite: SipText,
  toTag: string,
  reply: (request: SipText, code: number, reason: string, body?: string) => string,
): void {
  let repeating: NodeJS.Timeout | undefined;
  const served: Served = {
    invite,
    dialog: calleeDialog(invite, toTag),
    last: "",
    answer: (code, reason) => {
      served.last = reply(invite, code, reason, code < 300 && code >= 200 ? phone.sdp() : "");
      // A final response is repeated until its ACK arrives (§13.3.1.4, §17.2.1), here ten times at most.
      let left = 10;
      clearInterval(repeating);
      if (code >= 200)
        repeating = setInterval(
          () => (left-- > 0 ? reply(invite, code, reason, code < 300 ? phone.sdp() : "") : served.stop()),
          repeatMs,
        );
      repeating?.unref();
    },
    stop: () => clearInterval(repeating),
  };
  phone.served.set(branch(invite), served);
  if (phone.answering === "answer" || phone.answering === "ring") served.answer(180, "Ringing");
  if (phone.answering === "answer") served.answer(200, "OK");
  if (phone.answering === "busy") served.answer(486, "Busy Here");
}

function cancel(
  phone: Phone,
  message: SipText,
  reply: (request: SipText, code: number, reason: string) => string,
): void {
  const served = phone.served.get(branch(message));
  reply(message, served ? 200 : 481, served ? "OK" : "Call/Transaction Does Not Exist");
  if (served && !/ [2-6]\d\d /.test(served.last.slice(0, 12))) served.answer(487, "Request Terminated");
}

/** By Call-ID, because the ACK to a 2xx has its own branch. */
function stopRepeating(phone: Phone, ack: SipText): void {
  for (const served of phone.served.values())
    if (header(served.invite, "call-id") === header(ack, "call-id")) served.stop();
}

function calleeDialog(invite: SipText, toTag: string): Dialog {
  const to = header(invite, "to");
  return {
    callId: header(invite, "call-id"),
    local: tag(to) ? to : `${to};tag=${toTag}`,
    remote: header(invite, "from"),
    remoteTarget: uriOf(headerList(invite, "contact")[0] ?? ""),
    routes: headerList(invite, "record-route"),
  };
}

function response(
  phone: Phone,
  request: SipText,
  toTag: string,
  code: number,
  reason: string,
  body: string,
): string {
  const copied = request.headers.filter(([name]) =>
    ["via", "from", "call-id", "cseq", "record-route"].includes(name),
  );
  const to = header(request, "to");
  const contact =
    method(request) === "INVITE" && code < 300 ? [["Contact", `<${phone.contact}>`] as const] : [];
  const type = body === "" ? [] : [["Content-Type", "application/sdp"] as const];
  return writeSip(
    `SIP/2.0 ${code} ${reason}`,
    [...copied, ["To", tag(to) ? to : `${to};tag=${toTag || token()}`], ...contact, ...type],
    body,
  );
}
