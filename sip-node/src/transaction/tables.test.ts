/** Compares the four tables with the arrows of their figures, and runs every pair of state and event on a transaction. */
import { describe, expect, it } from "vitest";
import { flowOf } from "../wire/flow.ts";
import type { Message, Request, Response } from "../wire/message.ts";
import { parseMessage } from "../wire/parse-message.ts";
import { ClientTransaction } from "./client-transaction.ts";
import { inviteClient } from "./invite-client.ts";
import { inviteServer } from "./invite-server.ts";
import type { Cell } from "./machine.ts";
import { nonInviteClient } from "./non-invite-client.ts";
import { nonInviteServer } from "./non-invite-server.ts";
import { ServerTransaction } from "./server-transaction.ts";
import { defaultTimers, reliableLengths, timerLengths } from "./timers.ts";
import { TimerWheel } from "./timer-wheel.ts";
import type { TimerEvent, TimerOwner } from "./transaction.ts";

type Table = Readonly<Record<string, Readonly<Record<string, Cell<string, string>>>>>;

// state | event | next | actions, copied from the figures; a pair without an arrow is ignored
const figures: readonly (readonly [string, Table, string])[] = [
  [
    "INVITE client (RFC 6026 §8.4)",
    inviteClient.table,
    `Calling | Timer A | Calling | send request, double A
     Calling | Timer B | Terminated | timeout to TU
     Calling | transport error | Terminated | error to TU
     Calling | 1xx | Proceeding | stop A, stop B, response to TU
     Calling | 2xx | Accepted | stop A, stop B, response to TU, start M
     Calling | 300-699 | Completed | stop A, stop B, send ACK, response to TU, start D
     Proceeding | 1xx | Proceeding | response to TU
     Proceeding | 2xx | Accepted | response to TU, start M
     Proceeding | 300-699 | Completed | send ACK, response to TU, start D
     Completed | 300-699 | Completed | send ACK
     Completed | transport error | Terminated | error to TU
     Completed | Timer D | Terminated |
     Accepted | 2xx | Accepted | response to TU
     Accepted | Timer M | Terminated |`,
  ],
  [
    "non-INVITE client (RFC 3261 Figure 6)",
    nonInviteClient.table,
    `Trying | Timer E | Trying | send request, double E
     Trying | Timer F | Terminated | timeout to TU
     Trying | transport error | Terminated | error to TU
     Trying | 1xx | Proceeding | response to TU
     Trying | 200-699 | Completed | stop E, stop F, response to TU, start K
     Proceeding | Timer E | Proceeding | send request, restart E at T2
     Proceeding | Timer F | Terminated | timeout to TU
     Proceeding | transport error | Terminated | error to TU
     Proceeding | 1xx | Proceeding | response to TU
     Proceeding | 200-699 | Completed | stop E, stop F, response to TU, start K
     Completed | Timer K | Terminated |`,
  ],
  [
    "INVITE server (RFC 6026 §8.5)",
    inviteServer.table,
    `Proceeding | INVITE | Proceeding | send last response
     Proceeding | 1xx from TU | Proceeding | send response
     Proceeding | 2xx from TU | Accepted | send response, start L
     Proceeding | 300-699 from TU | Completed | send response, start G, start H
     Proceeding | transport error | Proceeding | error to TU
     Completed | INVITE | Completed | send last response
     Completed | ACK | Confirmed | stop G, stop H, start I
     Completed | Timer G | Completed | send last response, double G
     Completed | Timer H | Terminated | timeout to TU
     Completed | transport error | Completed | error to TU
     Confirmed | ACK | Confirmed |
     Confirmed | Timer I | Terminated |
     Accepted | INVITE | Accepted |
     Accepted | ACK | Accepted | ACK to TU
     Accepted | 2xx from TU | Accepted | send response
     Accepted | transport error | Accepted | error to TU
     Accepted | Timer L | Terminated |`,
  ],
  [
    "non-INVITE server (RFC 3261 Figure 8)",
    nonInviteServer.table,
    `Trying | request | Trying |
     Trying | 1xx from TU | Proceeding | send response
     Trying | 200-699 from TU | Completed | send response, start J
     Proceeding | request | Proceeding | send last response
     Proceeding | 1xx from TU | Proceeding | send response
     Proceeding | 200-699 from TU | Completed | send response, start J
     Proceeding | transport error | Terminated | error to TU
     Completed | request | Completed | send last response
     Completed | Timer J | Terminated |
     Completed | transport error | Terminated | error to TU`,
  ],
];

const pairsOf = (table: Table) =>
  Object.entries(table).flatMap(([state, row]) =>
    Object.entries(row).map(([event, cell]) => ({ state, event, cell })),
  );

describe.each(figures)("the table of the %s", (_name, table, figure) => {
  const arrows = new Map(
    figure.split("\n").map((line) => {
      const [state, event, next, actions] = line.split("|").map((part) => part.trim());
      return [`${state} / ${event}`, { next, actions: actions === "" ? [] : actions?.split(", ") }];
    }),
  );

  it.each(pairsOf(table))(
    "has the transition of the figure for $event in $state",
    ({ state, event, cell }) => {
      expect(cell).toEqual(arrows.get(`${state} / ${event}`) ?? "ignored");
    },
  );

  it("has a cell for every arrow of the figure", () => {
    const pairs = new Set(pairsOf(table).map(({ state, event }) => `${state} / ${event}`));
    expect([...arrows.keys()].filter((arrow) => !pairs.has(arrow))).toEqual([]);
  });
});

const flow = flowOf("192.0.2.1", 5060);
const parse = (start: string, method: string): Message => {
  const message = parseMessage(
    `${start}\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=f\r\nTo: <sip:b@h>;tag=t\r\n` +
      `Call-ID: c\r\nCSeq: 1 ${method}\r\nContent-Length: 0\r\n\r\n`,
  );
  if (message.kind === "malformed") throw new Error(message.problem.reason);
  return message;
};
const dependencies = () => {
  const performed: string[] = [];
  return {
    performed,
    wheel: new TimerWheel<TimerOwner, TimerEvent>((timer, now) => void timer.owner.on(timer.event, now), 0),
    lengths: timerLengths(defaultTimers),
    t2: defaultTimers.t2,
    sendRequest: (text: string) => void performed.push(text.startsWith("ACK") ? "send ACK" : "send request"),
    sendResponse: () => void performed.push("send response"),
    receiveResponse: () => void performed.push("response to TU"),
    clientFailed: (cause: string) =>
      void performed.push(cause === "timeout" ? "timeout to TU" : "error to TU"),
    clientEnded: () => void performed.push("ended"),
    serverEnded: () => void performed.push("ended"),
  };
};

type RunningTransaction = {
  readonly state: string;
  on(event: string, now: number, payload: unknown): unknown;
};
const clients = (method: string) => {
  const deps = dependencies();
  const request = parse(`${method} sip:b@h SIP/2.0`, method);
  const client = new ClientTransaction(method, "z9hG4bK1", request.text, flow, deps, deps);
  client.start(0);
  return {
    deps,
    transaction: client as unknown as RunningTransaction,
    payload: parse("SIP/2.0 200 OK", method) as Response,
  };
};
const servers = (method: string) => {
  const deps = dependencies();
  const request = parse(`${method} sip:b@h SIP/2.0`, method) as Request;
  const server = new ServerTransaction(request, flow, request.callId, deps);
  return { deps, transaction: server as unknown as RunningTransaction, payload: Buffer.from("response") };
};
const machines = [
  {
    name: "INVITE client",
    table: inviteClient.table as Table,
    first: "Calling",
    create: () => clients("INVITE"),
  },
  {
    name: "non-INVITE client",
    table: nonInviteClient.table as Table,
    first: "Trying",
    create: () => clients("BYE"),
  }, // prettier-ignore
  {
    name: "INVITE server",
    table: inviteServer.table as Table,
    first: "Proceeding",
    create: () => servers("INVITE"),
  }, // prettier-ignore
  {
    name: "non-INVITE server",
    table: nonInviteServer.table as Table,
    first: "Trying",
    create: () => servers("BYE"),
  }, // prettier-ignore
];

describe.each(machines)("a running $name transaction", ({ name, table, first, create }) => {
  /** The events that lead from the first state to `goal`. */
  const eventsTo = (goal: string): string[] => {
    const paths = new Map<string, string[]>([[first, []]]);
    for (const [state, path] of paths)
      for (const [event, cell] of Object.entries(table[state] ?? {}))
        if (cell !== "ignored" && !paths.has(cell.next)) paths.set(cell.next, [...path, event]);
    const path = paths.get(goal);
    if (path === undefined) throw new Error(`no path to ${goal}`);
    return path;
  };

  it.each(pairsOf(table))(
    "changes its state and acts at $event in $state as the cell defines",
    ({ state, event, cell }) => {
      const { deps, transaction, payload } = create();
      for (const step of eventsTo(state)) transaction.on(step, 0, payload);
      expect(transaction.state).toBe(state);
      const hasResponse = deps.performed.includes("send response");
      deps.performed.length = 0;
      transaction.on(event, 0, payload);
      expect(transaction.state).toBe(cell === "ignored" ? state : cell.next);
      const isTimer = (action: string): boolean => /^(re)?(start|stop|double)/.test(action);
      const acts = cell === "ignored" ? [] : cell.actions.filter((action) => !isTimer(action));
      const visible = acts
        .filter((action) => !(name.endsWith("server") && action.endsWith("to TU"))) // a proxy ignores these
        .filter((action) => hasResponse || action !== "send last response")
        .map((action) => action.replace("last ", ""));
      const isLast = cell !== "ignored" && cell.next === "Terminated";
      expect(deps.performed).toEqual(isLast ? [...visible, "ended"] : visible);
      if (isLast) expect(deps.wheel.size).toBe(0);
    },
  );

  it.each(Object.keys(table))("handles in %s every timer that is started on entry to that state", (state) => {
    for (const { cell } of pairsOf(table)) {
      if (cell === "ignored" || cell.next !== state) continue;
      for (const action of cell.actions) {
        const timer = /^(?:start|double|restart) (\w)/.exec(action)?.[1];
        if (timer !== undefined)
          expect(table[state]?.[`Timer ${timer}`], `Timer ${timer}`).not.toBe("ignored");
      }
    }
  });

  it("ignores every event in Terminated", () => {
    const { deps, transaction, payload } = create();
    for (const step of eventsTo("Terminated")) transaction.on(step, 0, payload);
    deps.performed.length = 0;
    for (const { event } of pairsOf(table)) transaction.on(event, 0, payload);
    expect(deps.performed).toEqual([]);
  });
});

describe("Appendix A, Table 4: over a reliable transport, a transaction", () => {
  const reliable = () => ({ ...dependencies(), lengths: () => reliableLengths(defaultTimers) });

  it.each([
    ["INVITE", "SIP/2.0 486 Busy Here", ["send request", "send ACK", "response to TU", "ended"]],
    ["BYE", "SIP/2.0 200 OK", ["send request", "response to TU", "ended"]],
  ])("sends no retransmission and ends at once as the client of %s after %s", (method, start, performed) => {
    const deps = reliable();
    const text = parse(`${method} sip:b@h SIP/2.0`, method).text;
    const client = new ClientTransaction(method, "z9hG4bK1", text, flow, deps, deps);
    client.start(0);
    client.receive(parse(start, method) as Response, 10);
    expect([deps.performed, deps.wheel.size]).toEqual([performed, 0]);
  });

  it.each([
    ["INVITE", 486, true],
    ["BYE", 200, false],
  ])("sends no retransmission and ends at once as the server of %s after %i", (method, status, awaitsAck) => {
    const deps = reliable();
    const request = parse(`${method} sip:b@h SIP/2.0`, method) as Request;
    const server = new ServerTransaction(request, flow, request.callId, deps);
    server.respond(status, parse(`SIP/2.0 ${status} Reason`, method).text, 0);
    if (awaitsAck) server.on("ACK", 10);
    expect([deps.performed, deps.wheel.size]).toEqual([["send response", "ended"], 0]);
  });
});
