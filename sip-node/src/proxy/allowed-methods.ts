/** The methods in `Allow` (RFC 3261 §20.5), and the methods that are refused when a user sends them to its own address. */
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

/** A header line. A method that is not in it is forwarded too. */
export const allow = `Allow: ${methods.join(", ")}\r\n`;
const allowWithoutPublish = `Allow: ${methods.filter((method) => method !== "PUBLISH").join(", ")}\r\n`;

/** Whether the request, sent to the sender's own address, is for a server that keeps state of its user: mailbox, presence ... */
export const isForStateAgent = ({ method }: Request): boolean =>
  method === "SUBSCRIBE" || method === "PUBLISH";

/** The exchange keeps no such state; a forwarded request would return to its sender. */
export const refuseForStateAgent = ({ method }: Request): Rejection =>
  method === "PUBLISH"
    ? reject(405, "Method Not Allowed", allowWithoutPublish) // RFC 3903 §6, RFC 3261 §21.4.6
    : reject(489, "Bad Event"); // RFC 6665 §4.2.1.1
