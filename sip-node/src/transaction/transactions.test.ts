/** The transaction layer as its user sees it: matching, retransmissions with their exact times, lifetimes, RFC 6026. */
import { describe, expect, it } from "vitest";
import { flowOf } from "../wire/flow.ts";
import type { Message, Request, Response } from "../wire/message.ts";
import { parseMessage } from "../wire/parse-message.ts";
import type { ClientTransaction, ClientTransactionUser } from "./client-transaction.ts";
import { serverKey } from "./server-key.ts";
import { ServerTransaction } from "./server-transaction.ts";
import { reliableLengths, defaultTimers, unreliableLengths } from "./timers.ts";
import { Transactions, type TransactionOptions } from "./transactions.ts";

const flow = flowOf("192.0.2.1", 5060);

/** A layer whose user records each result, and a clock that ticks by 10 ms. */
function layer(options?: TransactionOptions) {
  const sent: { at: number; text: string; isRetransmission: boolean }[] = [];
  const results: string[] = [];
  const clock = { now: 0 };
  const transactions = new Transactions<string, ClientTransactionUser>(
    {
      send: (bytes, _transaction, isRetransmission) =>
        void sent.push({ at: clock.now, text: Buffer.from(bytes).toString("latin1"), isRetransmission }),
      ended: (transaction) => void results.push(`${transaction.kind} ended ${clock.now}`),
    },
    0,
    options,
  );
  const user: ClientTransactionUser = {
    receiveResponse: (response) => void results.push(`tu ${response.status}`),
    clientFailed: (cause, now) => void results.push(`tu ${cause} ${now}`),
  };
  const runTo = (end: number): void => {
    while (clock.now < end) transactions.advance((clock.now += 10));
  };
  const times = (): number[] => sent.map(({ at }) => at);
  return { transactions, user, sent, results, clock, runTo, times };
}

interface Parts {
  readonly branch?: string;
  readonly sentBy?: string;
  readonly toTag?: string;
  readonly fromTag?: string;
  readonly cseq?: number;
  readonly callId?: string;
  readonly uri?: string;
  readonly extra?: string;
}

const headers = (method: string, parts: Parts): string =>
  `Via: SIP/2.0/UDP ${parts.sentBy ?? "client.example.com:5060"}${parts.branch === "" ? "" : `;branch=${parts.branch ?? "z9hG4bKabc"}`}\r\n` +
  `From: Alice <sip:alice@example.com>;tag=${parts.fromTag ?? "a1"}\r\n` +
  `To: <sip:bob@example.com>${parts.toTag === undefined ? "" : `;tag=${parts.toTag}`}\r\n` +
  `Call-ID: ${parts.callId ?? "call@example.com"}\r\nCSeq: ${parts.cseq ?? 1} ${method}\r\n${parts.extra ?? ""}Content-Length: 0\r\n\r\n`;

const parse = (text: string): Message => {
  const message = parseMessage(text);
  if (message.kind === "malformed") throw new Error(message.problem.reason);
  return message;
};
const requestOf = (method: string, parts: Parts = {}): Request =>
  parse(`${method} ${parts.uri ?? "sip:bob@example.com"} SIP/2.0\r\n${headers(method, parts)}`) as Request;
const responseOf = (status: number, method: string, parts: Parts = {}): Response =>
  parse(`SIP/2.0 ${status} Some reason\r\n${headers(method, { toTag: "b1", ...parts })}`) as Response;
const bytesOf = (message: Message): Uint8Array => Buffer.from(message.text, "latin1");

const receive = (world: ReturnType<typeof layer>, request: Request): ServerTransaction<string> => {
  const received = world.transactions.receiveRequest(request, flow, world.clock.now);
  if (!(received instanceof ServerTransaction)) throw new Error(`not new: ${received}`);
  return received;
};
const answer = (
  world: ReturnType<typeof layer>,
  server: ServerTransaction<string>,
  status: number,
  toTag = "b1",
): boolean => {
  const response = responseOf(status, server.request.method, { toTag });
  return world.transactions.respond(server, status, bytesOf(response), world.clock.now);
};
const send = (
  world: ReturnType<typeof layer>,
  method: string,
  parts: Parts = {},
): ClientTransaction<ClientTransactionUser> => {
  const bytes = bytesOf(requestOf(method, parts));
  const branch = parts.branch ?? "z9hG4bKabc";
  return world.transactions.request(method, branch, bytes, flow, world.user, world.clock.now)!;
};

describe("retransmissions over an unreliable transport", () => {
  it("§17.1.1.2: INVITE at 0, 500, 1500 ... doubling without a cap, until Timer B at 64*T1", () => {
    const world = layer();
    send(world, "INVITE");
    world.runTo(40_000);
    expect(world.times()).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    expect(world.results).toEqual(["tu timeout 32000", "client ended 32000"]);
    expect(world.transactions.counts).toEqual({ server: 0, client: 0, timers: 0 });
  });

  it("§17.1.2.2: another request doubles up to T2, until Timer F at 64*T1", () => {
    const world = layer();
    send(world, "BYE");
    world.runTo(40_000);
    expect(world.times()).toEqual([0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    expect(world.results).toEqual(["tu timeout 32000", "client ended 32000"]);
  });

  it("§17.1.2.2: after a provisional response another request is repeated every T2", () => {
    const world = layer();
    send(world, "BYE");
    world.runTo(600);
    world.transactions.receiveResponse(responseOf(100, "BYE"), 600);
    world.runTo(40_000);
    expect(world.times()).toEqual([0, 500, 1500, 5500, 9500, 13_500, 17_500, 21_500, 25_500, 29_500]);
    expect(world.results).toEqual(["tu 100", "tu timeout 32000", "client ended 32000"]);
  });

  it("§17.2.1: a 486 is repeated doubling up to T2, until Timer H at 64*T1 ends the transaction", () => {
    const world = layer();
    answer(world, receive(world, requestOf("INVITE")), 486);
    world.runTo(40_000);
    expect(world.times()).toEqual([0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    expect(world.results).toEqual(["server ended 32000"]);
  });

  it.each(["INVITE", "BYE"])(
    "%s: each message but the first of its kind is marked as a retransmission",
    (method) => {
      const world = layer();
      send(world, method, { branch: "z9hG4bKclient" });
      world.runTo(1600);
      for (const status of [486, 486]) {
        const response = responseOf(status, method, { branch: "z9hG4bKclient" });
        world.transactions.receiveResponse(response, world.clock.now);
      }
      const server = receive(world, requestOf(method));
      answer(world, server, 486);
      world.transactions.receiveRequest(requestOf(method), flow, world.clock.now);
      const marks = world.sent.map(({ text, isRetransmission }) => [text.split(" ")[0], isRetransmission]);
      const acks =
        method === "INVITE"
          ? [
              ["ACK", false],
              ["ACK", true],
            ]
          : []; // prettier-ignore
      expect(marks).toEqual([
        [method, false],
        [method, true],
        [method, true],
        ...acks,
        ["SIP/2.0", false],
        ["SIP/2.0", true],
      ]);
    },
  );

  it("the settings T1 and T2 scale the series", () => {
    const world = layer({ timers: { t1: 100, t2: 300, t4: 1000 } });
    send(world, "OPTIONS");
    world.runTo(10_000);
    expect(world.times().slice(0, 5)).toEqual([0, 100, 300, 600, 900]);
    expect(world.results[0]).toBe("tu timeout 6400");
  });
});

describe("how long transactions last", () => {
  const lives: readonly (readonly [string, (world: ReturnType<typeof layer>) => void, number])[] = [
    [
      "Timer D: an INVITE client answered 486, 32 s",
      (w) => (send(w, "INVITE"), w.transactions.receiveResponse(responseOf(486, "INVITE"), 0)),
      32_000,
    ], // prettier-ignore
    [
      "Timer M: an INVITE client answered 200, 64*T1",
      (w) => (send(w, "INVITE"), w.transactions.receiveResponse(responseOf(200, "INVITE"), 0)),
      32_000,
    ], // prettier-ignore
    [
      "Timer K: another client answered, T4",
      (w) => (send(w, "BYE"), w.transactions.receiveResponse(responseOf(200, "BYE"), 0)),
      5000,
    ], // prettier-ignore
    [
      "Timer J: another server that answered, 64*T1",
      (w) => answer(w, receive(w, requestOf("BYE")), 200),
      32_000,
    ],
    [
      "Timer L: an INVITE server that answered 200, 64*T1",
      (w) => answer(w, receive(w, requestOf("INVITE")), 200),
      32_000,
    ], // prettier-ignore
    [
      "Timer I: an INVITE server whose 486 was acknowledged, T4",
      (w) => (
        answer(w, receive(w, requestOf("INVITE")), 486),
        w.transactions.receiveRequest(requestOf("ACK", { toTag: "b1" }), flow, 0)
      ),
      5000,
    ], // prettier-ignore
  ];
  it.each(lives)("%s", (_name, live, end) => {
    const world = layer();
    live(world);
    world.runTo(60_000);
    expect(world.results.at(-1)).toMatch(new RegExp(`ended ${end}$`));
    expect(world.transactions.counts).toEqual({ server: 0, client: 0, timers: 0 });
  });

  it("Table 4: Timer D is at least 32 s, and a reliable transport needs no A, E, G, D, I, J, K", () => {
    expect(unreliableLengths({ t1: 100, t2: 400, t4: 500 }).D).toBe(32_000);
    const { A, B, D, E, F, G, H, I, J, K, L, M } = reliableLengths(defaultTimers);
    expect([A, E, G]).toEqual([undefined, undefined, undefined]);
    expect([D, I, J, K]).toEqual([0, 0, 0, 0]);
    expect([B, F, H, L, M]).toEqual([32_000, 32_000, 32_000, 32_000, 32_000]);
  });
});

describe("server side", () => {
  it("§17.2.1: a repeated INVITE gets the last provisional response again, then the final one", () => {
    const world = layer();
    const server = receive(world, requestOf("INVITE"));
    expect(world.transactions.receiveRequest(requestOf("INVITE"), flow, 0)).toBe("absorbed");
    expect(world.sent).toHaveLength(0);
    for (const status of [100, 180, 486]) {
      answer(world, server, status);
      expect(world.transactions.receiveRequest(requestOf("INVITE"), flow, 0)).toBe("absorbed");
    }
    expect(world.sent.map(({ text }) => text.slice(8, 11))).toEqual([
      "100",
      "100",
      "180",
      "180",
      "486",
      "486",
    ]);
  });

  it("§17.2.1: the ACK to a 486 is absorbed and stops its retransmission; so is its repetition", () => {
    const world = layer();
    answer(world, receive(world, requestOf("INVITE")), 486);
    const ack = requestOf("ACK", { toTag: "b1" });
    expect(world.transactions.receiveRequest(ack, flow, 0)).toBe("absorbed");
    expect(world.transactions.receiveRequest(ack, flow, 0)).toBe("absorbed");
    world.runTo(4000);
    expect(world.times()).toEqual([0]);
  });

  it("§17.2.2: a repeated BYE is discarded until there is an answer, then answered with it", () => {
    const world = layer();
    const server = receive(world, requestOf("BYE"));
    world.transactions.receiveRequest(requestOf("BYE"), flow, 0);
    answer(world, server, 200);
    world.transactions.receiveRequest(requestOf("BYE"), flow, 0);
    expect(world.sent.map(({ text }) => text.slice(8, 11))).toEqual(["200", "200"]);
  });

  it("a second final response is not sent", () => {
    const world = layer();
    const server = receive(world, requestOf("INVITE"));
    expect(answer(world, server, 486)).toBe(true);
    expect(answer(world, server, 200)).toBe(false);
    expect(world.sent).toHaveLength(1);
  });

  it("§9.2: a CANCEL is a transaction of its own that names the INVITE", () => {
    const world = layer();
    const server = receive(world, requestOf("INVITE"));
    const cancel = requestOf("CANCEL");
    expect(receive(world, cancel)).not.toBe(server);
    expect(world.transactions.findInvite(cancel, flow)).toBe(server);
    expect(
      world.transactions.findInvite(requestOf("CANCEL", { branch: "z9hG4bKother" }), flow),
    ).toBeUndefined();
  });

  it("an ACK that matches nothing makes no transaction", () => {
    const world = layer();
    expect(world.transactions.receiveRequest(requestOf("ACK"), flow, 0)).toBe("unmatched-ack");
    expect(world.transactions.counts.server).toBe(0);
  });

  it("RFC 6026 §7.1: after a 200 the INVITE is absorbed unanswered, further 2xx pass, the ACK goes to the TU", () => {
    const world = layer();
    const server = receive(world, requestOf("INVITE"));
    answer(world, server, 200);
    expect(world.transactions.receiveRequest(requestOf("INVITE"), flow, 0)).toBe("absorbed");
    expect(world.sent).toHaveLength(1);
    expect(answer(world, server, 200)).toBe(true);
    expect(answer(world, server, 486)).toBe(false);
    expect(world.transactions.receiveRequest(requestOf("ACK", { toTag: "b1" }), flow, 0)).toBe("ack-to-2xx");
    world.runTo(31_990);
    expect(world.sent).toHaveLength(2);
    expect(world.transactions.find(requestOf("INVITE"), flow)).toBe(server);
  });

  it("RFC 4320 §4.2: a TU that gives up terminates without an answer", () => {
    const world = layer();
    receive(world, requestOf("BYE")).terminate();
    expect(world.results).toEqual(["server ended 0"]);
    expect(world.sent).toEqual([]);
    expect(world.transactions.counts).toEqual({ server: 0, client: 0, timers: 0 });
  });

  it("more transactions than the bound are refused, and accepted again when others ended", () => {
    const world = layer({ maxTransactions: 2 });
    receive(world, requestOf("BYE", { branch: "z9hG4bK1" })).context = "x";
    const second = receive(world, requestOf("BYE", { branch: "z9hG4bK2" }));
    const third = requestOf("BYE", { branch: "z9hG4bK3" });
    expect(world.transactions.receiveRequest(third, flow, 0)).toBe("full");
    expect(send(world, "BYE")).toBeUndefined();
    second.terminate();
    expect(world.transactions.receiveRequest(third, flow, 0)).toBeInstanceOf(ServerTransaction);
  });
});

it("the bound is of server and client transactions together", () => {
  const world = layer({ maxTransactions: 2 });
  receive(world, requestOf("BYE", { branch: "z9hG4bK1" }));
  send(world, "BYE");
  expect(world.transactions.isFull).toBe(true);
  expect(world.transactions.receiveRequest(requestOf("BYE", { branch: "z9hG4bK2" }), flow, 0)).toBe("full");
});

describe("§17.2.3: which transaction a request belongs to", () => {
  const same = (a: Request, b: Request): boolean => serverKey(a) === serverKey(b);

  it("with the magic cookie: branch, sent-by, method, Call-ID and CSeq number count, nothing else does", () => {
    const invite = requestOf("INVITE");
    expect(same(invite, requestOf("INVITE", { fromTag: "z", uri: "sip:x@h", toTag: "q" }))).toBe(true);
    expect(same(invite, requestOf("INVITE", { cseq: 9 }))).toBe(false);
    expect(same(invite, requestOf("INVITE", { callId: "other" }))).toBe(false);
    expect(same(invite, requestOf("INVITE", { sentBy: "client.example.com" }))).toBe(true);
    expect(same(invite, requestOf("INVITE", { sentBy: "CLIENT.example.com:5060" }))).toBe(true);
    expect(same(invite, requestOf("ACK", { toTag: "b1" }))).toBe(true);
    expect(same(invite, requestOf("INVITE", { branch: "z9hG4bKabd" }))).toBe(false);
    expect(same(invite, requestOf("INVITE", { sentBy: "client.example.com:5062" }))).toBe(false);
    expect(same(invite, requestOf("CANCEL"))).toBe(false);
  });

  it.each(["", "abc", "z9hG4bK"])(
    "without it (branch %j): URI, tags, Call-ID, CSeq and Via count",
    (branch) => {
      const invite = requestOf("INVITE", { branch });
      expect(same(invite, requestOf("INVITE", { branch }))).toBe(true);
      for (const other of [
        { uri: "sip:x@example.com" },
        { toTag: "t" },
        { fromTag: "z" },
        { cseq: 2 },
        { sentBy: "other" },
      ])
        expect(same(invite, requestOf("INVITE", { branch, ...other })), JSON.stringify(other)).toBe(false);
    },
  );

  it.each([{ callId: "other" }, { cseq: 2 }])(
    "the branch of an earlier request, but %j: a new request",
    (other) => {
      const world = layer();
      for (const method of ["INVITE", "OPTIONS"]) {
        answer(world, receive(world, requestOf(method)), 486);
        expect(receive(world, requestOf(method, other)).request).toMatchObject({ method });
      }
      expect(world.transactions.receiveRequest(requestOf("ACK", other), flow, 0)).toBe("absorbed");
      expect(world.sent).toHaveLength(2);
    },
  );

  const elsewhere = flowOf("192.0.2.77", 5060);

  it("a CANCEL or ACK with another sent-by finds its INVITE on its flow, and on no other", () => {
    const world = layer();
    const server = receive(world, requestOf("INVITE"));
    const [cancel, ack] = [
      requestOf("CANCEL", { sentBy: "10.1.1.1" }),
      requestOf("ACK", { sentBy: "10.1.1.1" }),
    ];
    expect(world.transactions.findInvite(cancel, flow)).toBe(server);
    expect(world.transactions.findInvite(cancel, elsewhere)).toBeUndefined();
    answer(world, server, 486);
    expect(world.transactions.find(ack, flow)).toBe(server);
    expect(world.transactions.receiveRequest(ack, elsewhere, 0)).toBe("unmatched-ack");
    expect(world.transactions.receiveRequest(ack, flow, 0)).toBe("absorbed");
    expect(server.state).toBe("Confirmed");
  });

  it.each([{ callId: "other" }, { branch: "z9hG4bKother" }])("nor with %j beside it", (other) => {
    const world = layer();
    receive(world, requestOf("INVITE"));
    const parts = { sentBy: "10.1.1.1", ...other };
    expect(world.transactions.findInvite(requestOf("CANCEL", parts), flow)).toBeUndefined();
    expect(world.transactions.find(requestOf("ACK", parts), flow)).toBeUndefined();
  });

  it.each(["client.example.com:5060", "10.1.1.1"])(
    "a CANCEL with another CSeq number finds the latest INVITE of its branch and call, an ACK none (sent-by %s)",
    (sentBy) => {
      const world = layer();
      receive(world, requestOf("INVITE"));
      const latest = receive(world, requestOf("INVITE", { cseq: 2 }));
      const parts = { sentBy, cseq: 3 };
      expect(world.transactions.findInvite(requestOf("CANCEL", parts), flow)).toBe(latest);
      expect(world.transactions.findInvite(requestOf("CANCEL", parts), elsewhere)).toBeUndefined();
      expect(world.transactions.find(requestOf("ACK", parts), flow)).toBeUndefined();
    },
  );

  it("any other request with another sent-by is a new one", () => {
    const world = layer();
    for (const method of ["INVITE", "OPTIONS"]) {
      receive(world, requestOf(method));
      receive(world, requestOf(method, { sentBy: "10.1.1.1" }));
    }
    expect(world.transactions.counts.server).toBe(4);
  });

  it("an INVITE that has ended is found no more, and one that took its place on the flow is", () => {
    const world = layer();
    const [first, second] = ["client.example.com", "10.1.1.1"].map((sentBy) =>
      receive(world, requestOf("INVITE", { sentBy })),
    );
    const cancel = requestOf("CANCEL", { sentBy: "10.2.2.2" });
    first?.terminate();
    expect(world.transactions.findInvite(cancel, flow)).toBe(second);
    second?.terminate();
    expect(world.transactions.findInvite(cancel, flow)).toBeUndefined();
  });

  it("RFC 2543: the ACK is matched by the To tag of the response, the CANCEL by the INVITE's", () => {
    const world = layer();
    const invite = requestOf("INVITE", { branch: "" });
    const server = receive(world, invite);
    expect(world.transactions.findInvite(requestOf("CANCEL", { branch: "" }), flow)).toBe(server);
    answer(world, server, 486, "b1");
    const ack = (toTag: string): Request => requestOf("ACK", { branch: "", toTag });
    expect(world.transactions.receiveRequest(ack("other"), flow, 0)).toBe("unmatched-ack");
    expect(world.transactions.receiveRequest(ack("b1"), flow, 0)).toBe("absorbed");
    expect(server.state).toBe("Confirmed");
  });

  it("RFC 2543: the ACK to a failed re-INVITE has the To tag that the re-INVITE had", () => {
    const world = layer();
    const server = receive(world, requestOf("INVITE", { branch: "", toTag: "b1" }));
    answer(world, server, 488, "b1");
    expect(world.transactions.receiveRequest(requestOf("ACK", { branch: "", toTag: "b1" }), flow, 0)).toBe(
      "absorbed",
    );
    expect(server.state).toBe("Confirmed");
  });
});

describe("client side", () => {
  it("§17.1.3: a response is matched by branch and CSeq method", () => {
    const world = layer();
    send(world, "INVITE");
    send(world, "CANCEL");
    expect(world.transactions.receiveResponse(responseOf(180, "INVITE"), 0)).toBe(true);
    expect(world.transactions.receiveResponse(responseOf(200, "CANCEL"), 0)).toBe(true);
    expect(world.transactions.receiveResponse(responseOf(200, "BYE"), 0)).toBe(false);
    expect(world.transactions.receiveResponse(responseOf(180, "INVITE", { branch: "z9hG4bKx" }), 0)).toBe(
      false,
    );
    expect(world.transactions.receiveResponse(responseOf(180, "INVITE", { branch: "" }), 0)).toBe(false);
    expect(world.results).toEqual(["tu 180", "tu 200"]);
  });

  it("§17.1.1.3: the ACK to a 486 is made from the INVITE and the response, again for each repetition", () => {
    const world = layer();
    const extra =
      "Route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\r\nRoute: <sip:p3.example.com;lr>\r\nSubject: x\r\n";
    send(world, "INVITE", { extra });
    for (let i = 0; i < 2; i++)
      world.transactions.receiveResponse(responseOf(486, "INVITE", { toTag: "b7" }), 0);
    expect(world.results).toEqual(["tu 486"]);
    expect(world.sent.slice(1).map(({ text }) => text)).toEqual(
      Array(2).fill(
        "ACK sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP client.example.com:5060;branch=z9hG4bKabc\r\n" +
          "Route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\r\nRoute: <sip:p3.example.com;lr>\r\nMax-Forwards: 70\r\n" +
          "From: Alice <sip:alice@example.com>;tag=a1\r\nTo: <sip:bob@example.com>;tag=b7\r\nCall-ID: call@example.com\r\n" +
          "CSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
      ),
    ); // prettier-ignore
  });

  it("§17.1.1.3: of several Via values the ACK has the top one alone", () => {
    const world = layer();
    const text = requestOf("INVITE").text.replace(
      "\r\nFrom",
      ", SIP/2.0/UDP a;branch=z9hG4bKa\r\nVia: SIP/2.0/UDP b\r\nFrom",
    );
    world.transactions.request("INVITE", "z9hG4bKabc", Buffer.from(text), flow, world.user, 0);
    world.transactions.receiveResponse(responseOf(404, "INVITE"), 0);
    expect(world.sent[1]?.text.match(/^Via: .*$/gm)).toEqual([
      "Via: SIP/2.0/UDP client.example.com:5060;branch=z9hG4bKabc",
    ]);
  });

  it("RFC 6026 §7.2: every 2xx of a fork goes to the TU, without an ACK", () => {
    const world = layer();
    send(world, "INVITE");
    for (const toTag of ["b1", "b2", "b1"])
      world.transactions.receiveResponse(responseOf(200, "INVITE", { toTag }), 0);
    expect(world.results).toEqual(["tu 200", "tu 200", "tu 200"]);
    expect(world.sent).toHaveLength(1);
  });

  it("§17.1.2.2: a repeated final response to another request is absorbed", () => {
    const world = layer();
    send(world, "BYE");
    expect(world.transactions.receiveResponse(responseOf(200, "BYE"), 0)).toBe(true);
    expect(world.transactions.receiveResponse(responseOf(200, "BYE"), 0)).toBe(true);
    expect(world.results).toEqual(["tu 200"]);
  });

  it("§9.1: an INVITE may be cancelled between its first provisional and its final response", () => {
    const world = layer();
    const client = send(world, "INVITE");
    expect(client.hasProvisional).toBe(false);
    world.transactions.receiveResponse(responseOf(180, "INVITE"), 0);
    expect(client.hasProvisional).toBe(true);
    world.runTo(200_000);
    expect(world.times()).toEqual([0]);
    world.transactions.receiveResponse(responseOf(200, "INVITE"), world.clock.now);
    expect(client.hasProvisional).toBe(false);
  });

  it("§17.1.4: a transport failure ends a request at once; one of a ringing INVITE does not", () => {
    const world = layer();
    send(world, "BYE").transportFailed(0);
    expect(world.results).toEqual(["tu transport 0", "client ended 0"]);
    const invite = send(world, "INVITE");
    world.transactions.receiveResponse(responseOf(180, "INVITE"), 0);
    invite.transportFailed(0);
    expect(invite.state).toBe("Proceeding");
  });

  it("a TU that ends the transaction from within an answer leaves no timer behind", () => {
    const transactions = new Transactions<string, ClientTransactionUser>({ send: () => undefined }, 0);
    const user = { receiveResponse: () => client?.terminate(), clientFailed: () => undefined };
    const client = transactions.request("BYE", "z9hG4bKabc", bytesOf(requestOf("BYE")), flow, user, 0);
    transactions.receiveResponse(responseOf(200, "BYE"), 0);
    expect(transactions.counts).toEqual({ server: 0, client: 0, timers: 0 });
  });

  it("two transactions of one branch and method, or one for an ACK, are our mistake", () => {
    const world = layer();
    send(world, "BYE");
    expect(() => send(world, "BYE")).toThrow("exists");
    expect(() => send(world, "ACK")).toThrow("no client transaction");
  });
});
