/** INVITE client transaction: RFC 3261 §17.1.1 (Figure 5) as RFC 6026 §7.2 and §8.4 change it (state Accepted, Timer M). */
import { ignored, type Machine, to } from "./machine.ts";

export type InviteClientState = "Calling" | "Proceeding" | "Accepted" | "Completed" | "Terminated";

export type InviteClientEvent =
  | "1xx"
  | "2xx"
  | "300-699"
  | "Timer A"
  | "Timer B"
  | "Timer D"
  | "Timer M"
  | "transport error";

export type InviteClientAction =
  | "send request"
  | "send ACK"
  | "response to TU"
  | "timeout to TU"
  | "error to TU"
  | "start A"
  | "double A"
  | "stop A"
  | "start B"
  | "stop B"
  | "start D"
  | "start M";

export const inviteClient: Machine<InviteClientState, InviteClientEvent, InviteClientAction> = {
  name: "INVITE client transaction",
  source: "RFC 3261 §17.1.1, RFC 6026 §7.2 and §8.4",
  begins: "INVITE from TU",
  initial: "Calling",
  start: ["send request", "start A", "start B"],
  table: {
    Calling: {
      "1xx": to("Proceeding", "stop A", "stop B", "response to TU"),
      "2xx": to("Accepted", "stop A", "stop B", "response to TU", "start M"),
      "300-699": to("Completed", "stop A", "stop B", "send ACK", "response to TU", "start D"),
      "Timer A": to("Calling", "send request", "double A"),
      "Timer B": to("Terminated", "timeout to TU"),
      "Timer D": ignored,
      "Timer M": ignored,
      "transport error": to("Terminated", "error to TU"),
    },
    // No timer runs here: a proxy bounds this state by its Timer C (§16.6 step 11).
    Proceeding: {
      "1xx": to("Proceeding", "response to TU"),
      "2xx": to("Accepted", "response to TU", "start M"),
      "300-699": to("Completed", "send ACK", "response to TU", "start D"),
      "Timer A": ignored,
      "Timer B": ignored,
      "Timer D": ignored,
      "Timer M": ignored,
      "transport error": ignored,
    },
    // RFC 6026 §7.2: each 2xx of a fork, and each retransmission of it, is passed to the TU; the caller sends the ACK.
    Accepted: {
      "1xx": ignored,
      "2xx": to("Accepted", "response to TU"),
      "300-699": ignored,
      "Timer A": ignored,
      "Timer B": ignored,
      "Timer D": ignored,
      "Timer M": to("Terminated"),
      "transport error": ignored,
    },
    Completed: {
      "1xx": ignored,
      "2xx": ignored,
      "300-699": to("Completed", "send ACK"),
      "Timer A": ignored,
      "Timer B": ignored,
      "Timer D": to("Terminated"),
      "Timer M": ignored,
      "transport error": to("Terminated", "error to TU"),
    },
  },
};
