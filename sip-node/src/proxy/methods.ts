/** Which methods the exchange takes and forwards, as `Allow` says (RFC 3261 §20.5), and which it does not take for a user's own address. */
import type { Request } from "../wire/message.ts";
import { type Rejection, reject } from "../wire/rejection.ts";

const methods = [
  "INVITE",
  "ACK",
  "BYE",
  "CANCEL",
  "OPTIONS",
  "REGISTER",
  "MESSAGE",
  "INFO",
  "PRACK",
  "UPDATE",
  "REFER",
  "SUBSCRIBE",
  "NOTIFY",
  "PUBLISH",
]; // prettier-ignore

/** Header line: every method that some RFC defines passes; one that nobody has heard of passes too, and has no place here. */
export const allow = `Allow: ${methods.join(", ")}\r\n`;
const allowWithoutPublish = `Allow: ${methods.filter((method) => method !== "PUBLISH").join(", ")}\r\n`;

/** Whether the request, sent to the sender's own address, asks for a state that a server keeps of its user: mailbox, presence ... */
export const isForStateAgent = ({ method }: Request): boolean =>
  method === "SUBSCRIBE" || method === "PUBLISH";

/** The exchange keeps no such state, and forwarded the request would come back to the phone that sent it. */
export const refuseForStateAgent = ({ method }: Request): Rejection =>
  method === "PUBLISH"
    ? reject(405, "Method Not Allowed", allowWithoutPublish) // RFC 3903 §6, RFC 3261 §21.4.6
    : reject(489, "Bad Event"); // RFC 6665 §4.2.1.1
