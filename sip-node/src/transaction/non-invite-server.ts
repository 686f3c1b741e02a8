/**
 * Non-INVITE server transaction: RFC 3261 §17.2.2 (Figure 8).
 *
 * Trying and Proceeding have no timer: they end when the TU answers, or terminates without a response (RFC 4320 §4.2 forbids a 408).
 */
import { ignored, type Machine, to } from "./machine.ts";

export type NonInviteServerState = "Trying" | "Proceeding" | "Completed" | "Terminated";

export type NonInviteServerEvent =
  | "request"
  | "1xx from TU"
  | "200-699 from TU"
  | "Timer J"
  | "transport error";

export type NonInviteServerAction = "send response" | "send last response" | "error to TU" | "start J";

export const nonInviteServer: Machine<NonInviteServerState, NonInviteServerEvent, NonInviteServerAction> = {
  name: "non-INVITE server transaction",
  source: "RFC 3261 §17.2.2",
  begins: "request / request to TU",
  initial: "Trying",
  start: [],
  table: {
    // "any retransmissions of the request are silently discarded" (§17.2.2)
    Trying: {
      request: to("Trying"),
      "1xx from TU": to("Proceeding", "send response"),
      "200-699 from TU": to("Completed", "send response", "start J"),
      "Timer J": ignored,
      "transport error": ignored,
    },
    Proceeding: {
      request: to("Proceeding", "send last response"),
      "1xx from TU": to("Proceeding", "send response"),
      "200-699 from TU": to("Completed", "send response", "start J"),
      "Timer J": ignored,
      "transport error": to("Terminated", "error to TU"),
    },
    Completed: {
      request: to("Completed", "send last response"),
      "1xx from TU": ignored,
      "200-699 from TU": ignored,
      "Timer J": to("Terminated"),
      "transport error": to("Terminated", "error to TU"),
    },
  },
};
