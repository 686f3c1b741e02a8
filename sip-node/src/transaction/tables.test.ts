/** The four tables against the arrows of their figures, and every pair of state and event as a transaction lives it. */
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

// state | event | next | actions, read off the figures; a pair without an arrow is ignored
const figures: readonly (readonly [string, Table, string])[] = [
  [
    "INVITE client, RFC 6026 §8.4",
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
    "non-INVITE client, RFC 3261 Figure 6",
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
    "INVITE server, RFC 6026 §8.5",
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
    "non-INVITE server, RFC 3261 Figure 8",
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

describe.each(figures)("%s", (_name, table, figure) => {
  const arrows = new Map(
    figure.split("\n").map((line) => {
      const [state, event, next, actions] = line.split("|").map((part) => part.trim());
      return [`${state} / ${event}`, { next, actions: actions === "" ? [] : actions?.split(", ") }];
    }),
  );

  it.each(pairsOf(table))("$state, $event", ({ state, event, cell }) => {
    expect(cell).toEqual(arrows.get(`${state} / ${event}`) ?? "ignored");
  });

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
  const seen: string[] = [];
  return {
    seen,
    wheel: new TimerWheel<TimerOwner, TimerEvent>((timer, now) => void timer.owner.on(timer.event, now), 0),
    lengths: timerLengths(defaultTimers),
    t2: defaultTimers.t2,
    sendRequest: (bytes: Uint8Array) =>
      void seen.push(bytes[0] === "A".charCodeAt(0) ? "send ACK" : "send request"),
    sendResponse: () => void seen.push("send response"),
    receiveResponse: () => void seen.push("response to TU"),
    clientFailed: (cause: string) => void seen.push(cause === "timeout" ? "timeout to TU" : "error to TU"),
    clientEnded: () => void seen.push("ended"),
    serverEnded: () => void seen.push("ended"),
  };
};

type Live = { readonly state: string; on(event: string, now: number, payload: unknown): unknown };
const clients = (method: string) => {
  const world = dependencies();
  const request = parse(`${method} sip:b@h SIP/2.0`, method);
  const client = new ClientTransaction(method, "z9hG4bK1", Buffer.from(request.text), flow, world, world);
  client.start(0);
  return { world, live: client as unknown as Live, payload: parse("SIP/2.0 200 OK", method) as Response };
};
const servers = (method: string) => {
  const world = dependencies();
  const request = parse(`${method} sip:b@h SIP/2.0`, method) as Request;
  const server = new ServerTransaction("key", request, flow, world);
  return { world, live: server as unknown as Live, payload: Buffer.from("response") };
};
const machines = [
  {
    name: "INVITE client",
    table: inviteClient.table as Table,
    first: "Calling",
    born: () => clients("INVITE"),
  },
  {
    name: "non-INVITE client",
    table: nonInviteClient.table as Table,
    first: "Trying",
    born: () => clients("BYE"),
  }, // prettier-ignore
  {
    name: "INVITE server",
    table: inviteServer.table as Table,
    first: "Proceeding",
    born: () => servers("INVITE"),
  }, // prettier-ignore
  {
    name: "non-INVITE server",
    table: nonInviteServer.table as Table,
    first: "Trying",
    born: () => servers("BYE"),
  }, // prettier-ignore
];

describe.each(machines)("$name, alive", ({ name, table, first, born }) => {
  /** Events that lead from the first state to this one, through answers. */
  const path = (goal: string): string[] => {
    const ways = new Map<string, string[]>([[first, []]]);
    for (const [state, way] of ways)
      for (const [event, cell] of Object.entries(table[state] ?? {}))
        if (cell !== "ignored" && !ways.has(cell.next)) ways.set(cell.next, [...way, event]);
    const way = ways.get(goal);
    if (way === undefined) throw new Error(`no way to ${goal}`);
    return way;
  };

  it.each(pairsOf(table))("$state, $event: moves and acts as its cell says", ({ state, event, cell }) => {
    const { world, live, payload } = born();
    for (const step of path(state)) live.on(step, 0, payload);
    expect(live.state).toBe(state);
    const hasResponse = world.seen.includes("send response");
    world.seen.length = 0;
    live.on(event, 0, payload);
    expect(live.state).toBe(cell === "ignored" ? state : cell.next);
    const isTimer = (action: string): boolean => /^(re)?(start|stop|double)/.test(action);
    const acts = cell === "ignored" ? [] : cell.actions.filter((action) => !isTimer(action));
    const visible = acts
      .filter((action) => !(name.endsWith("server") && action.endsWith("to TU"))) // a proxy needs no call for these
      .filter((action) => hasResponse || action !== "send last response")
      .map((action) => action.replace("last ", ""));
    const isLast = cell !== "ignored" && cell.next === "Terminated";
    expect(world.seen).toEqual(isLast ? [...visible, "ended"] : visible);
    if (isLast) expect(world.wheel.size).toBe(0);
  });

  it.each(Object.keys(table))("%s: every timer that is started on the way in has an arrow here", (state) => {
    for (const { cell } of pairsOf(table)) {
      if (cell === "ignored" || cell.next !== state) continue;
      for (const action of cell.actions) {
        const timer = /^(?:start|double|restart) (\w)/.exec(action)?.[1];
        if (timer !== undefined)
          expect(table[state]?.[`Timer ${timer}`], `Timer ${timer}`).not.toBe("ignored");
      }
    }
  });

  it("Terminated ignores everything", () => {
    const { world, live, payload } = born();
    for (const step of path("Terminated")) live.on(step, 0, payload);
    world.seen.length = 0;
    for (const { event } of pairsOf(table)) live.on(event, 0, payload);
    expect(world.seen).toEqual([]);
  });
});

describe("Appendix A, Table 4: over a reliable transport nothing is repeated, and a state that waits for repetitions ends at once", () => {
  const reliable = () => ({ ...dependencies(), lengths: () => reliableLengths(defaultTimers) });
  const bytesOf = (text: string) => Buffer.from(text, "latin1");

  it.each([
    ["INVITE", "SIP/2.0 486 Busy Here", ["send request", "send ACK", "response to TU", "ended"]],
    ["BYE", "SIP/2.0 200 OK", ["send request", "response to TU", "ended"]],
  ])("the client of %s after %s", (method, start, seen) => {
    const world = reliable();
    const text = bytesOf(parse(`${method} sip:b@h SIP/2.0`, method).text);
    const client = new ClientTransaction(method, "z9hG4bK1", text, flow, world, world);
    client.start(0);
    client.receive(parse(start, method) as Response, 10);
    expect([world.seen, world.wheel.size]).toEqual([seen, 0]);
  });

  it.each([
    ["INVITE", 486, true],
    ["BYE", 200, false],
  ])("the server of %s after %i", (method, status, awaitsAck) => {
    const world = reliable();
    const server = new ServerTransaction(
      "key",
      parse(`${method} sip:b@h SIP/2.0`, method) as Request,
      flow,
      world,
    );
    server.respond(status, bytesOf(parse(`SIP/2.0 ${status} Reason`, method).text), 0);
    if (awaitsAck) server.on("ACK", 10);
    expect([world.seen, world.wheel.size]).toEqual([["send response", "ended"], 0]);
  });
});
