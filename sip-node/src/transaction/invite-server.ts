/**
 * INVITE server transaction: RFC 3261 §17.2.1 (Figure 7) as RFC 6026 §7.1 and §8.5 change it (state Accepted, Timer L).
 *
 * The TU sends the 100 within 200 ms, so this machine has no timer for it. Proceeding has no timer: the TU bounds its length, in a proxy
 * by Timer C (§16.6 step 11).
 */
import { ignored, type Machine, to } from "./machine.ts";

export type InviteServerState = "Proceeding" | "Accepted" | "Completed" | "Confirmed" | "Terminated";

export type InviteServerEvent =
  | "INVITE"
  | "ACK"
  | "1xx from TU"
  | "2xx from TU"
  | "300-699 from TU"
  | "Timer G"
  | "Timer H"
  | "Timer I"
  | "Timer L"
  | "transport error";

export type InviteServerAction =
  | "send response"
  | "send last response"
  | "ACK to TU"
  | "timeout to TU"
  | "error to TU"
  | "start G"
  | "double G"
  | "stop G"
  | "start H"
  | "stop H"
  | "start I"
  | "start L";

export const inviteServer: Machine<InviteServerState, InviteServerEvent, InviteServerAction> = {
  name: "INVITE server transaction",
  source: "RFC 3261 §17.2.1, RFC 6026 §7.1 and §8.5",
  begins: "INVITE / INVITE to TU",
  initial: "Proceeding",
  start: [],
  table: {
    Proceeding: {
      INVITE: to("Proceeding", "send last response"),
      ACK: ignored,
      "1xx from TU": to("Proceeding", "send response"),
      "2xx from TU": to("Accepted", "send response", "start L"),
      "300-699 from TU": to("Completed", "send response", "start G", "start H"),
      "Timer G": ignored,
      "Timer H": ignored,
      "Timer I": ignored,
      "Timer L": ignored,
      "transport error": to("Proceeding", "error to TU"),
    },
    // RFC 6026 §7.1: a retransmitted INVITE is absorbed without a response, because the UAS retransmits its 2xx itself.
    Accepted: {
      INVITE: to("Accepted"),
      ACK: to("Accepted", "ACK to TU"),
      "1xx from TU": ignored,
      "2xx from TU": to("Accepted", "send response"),
      "300-699 from TU": ignored,
      "Timer G": ignored,
      "Timer H": ignored,
      "Timer I": ignored,
      "Timer L": to("Terminated"),
      "transport error": to("Accepted", "error to TU"),
    },
    Completed: {
      INVITE: to("Completed", "send last response"),
      ACK: to("Confirmed", "stop G", "stop H", "start I"),
      "1xx from TU": ignored,
      "2xx from TU": ignored,
      "300-699 from TU": ignored,
      "Timer G": to("Completed", "send last response", "double G"),
      "Timer H": to("Terminated", "timeout to TU"),
      "Timer I": ignored,
      "Timer L": ignored,
      "transport error": to("Completed", "error to TU"),
    },
    Confirmed: {
      INVITE: ignored,
      ACK: to("Confirmed"),
      "1xx from TU": ignored,
      "2xx from TU": ignored,
      "300-699 from TU": ignored,
      "Timer G": ignored,
      "Timer H": ignored,
      "Timer I": to("Terminated"),
      "Timer L": ignored,
      "transport error": ignored,
    },
  },
};
