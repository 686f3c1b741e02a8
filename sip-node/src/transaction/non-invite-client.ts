/** Non-INVITE client transaction: RFC 3261 §17.1.2 (Figure 6). */
import { ignored, type Machine, to } from "./machine.ts";

export type NonInviteClientState = "Trying" | "Proceeding" | "Completed" | "Terminated";

export type NonInviteClientEvent = "1xx" | "200-699" | "Timer E" | "Timer F" | "Timer K" | "transport error";

export type NonInviteClientAction =
  | "send request"
  | "response to TU"
  | "timeout to TU"
  | "error to TU"
  | "start E"
  | "double E"
  | "restart E at T2"
  | "stop E"
  | "start F"
  | "stop F"
  | "start K";

export const nonInviteClient: Machine<NonInviteClientState, NonInviteClientEvent, NonInviteClientAction> = {
  name: "non-INVITE client transaction",
  source: "RFC 3261 §17.1.2",
  begins: "request from TU",
  initial: "Trying",
  start: ["send request", "start E", "start F"],
  table: {
    Trying: {
      "1xx": to("Proceeding", "response to TU"),
      "200-699": to("Completed", "stop E", "stop F", "response to TU", "start K"),
      "Timer E": to("Trying", "send request", "double E"),
      "Timer F": to("Terminated", "timeout to TU"),
      "Timer K": ignored,
      "transport error": to("Terminated", "error to TU"),
    },
    // A provisional response stops neither timer: Timer E continues with the interval T2 (§17.1.2.2).
    Proceeding: {
      "1xx": to("Proceeding", "response to TU"),
      "200-699": to("Completed", "stop E", "stop F", "response to TU", "start K"),
      "Timer E": to("Proceeding", "send request", "restart E at T2"),
      "Timer F": to("Terminated", "timeout to TU"),
      "Timer K": ignored,
      "transport error": to("Terminated", "error to TU"),
    },
    Completed: {
      "1xx": ignored,
      "200-699": ignored,
      "Timer E": ignored,
      "Timer F": ignored,
      "Timer K": to("Terminated"),
      "transport error": ignored,
    },
  },
};
