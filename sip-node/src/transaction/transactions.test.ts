/** The transaction layer through its interface: matching, exact times of retransmissions, lifetimes, RFC 6026. */
import { describe, expect, it } from "vitest";
import { flowOf } from "../wire/flow.ts";
import { maxTransactionsOfCall } from "../wire/limits.ts";
import type { Message, Request, Response } from "../wire/message.ts";
import { parseMessage } from "../wire/parse-message.ts";
import type { ClientTransaction, ClientTransactionUser } from "./client-transaction.ts";
import { ServerTransaction } from "./server-transaction.ts";
import { reliableLengths, defaultTimers, unreliableLengths } from "./timers.ts";
import { Transactions, type TransactionOptions } from "./transactions.ts";

const flow = flowOf("192.0.2.1", 5060);

/** A transaction layer whose user records each result, and a clock that advances by 10 ms. */
function createLayer(options?: TransactionOptions) {
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

const receive = (layer: ReturnType<typeof createLayer>, request: Request): ServerTransaction<string> => {
  const received = layer.transactions.receiveRequest(request, flow, layer.clock.now);
  if (!(received instanceof ServerTransaction)) throw new Error(`not new: ${received}`);
  return received;
};
const answer = (
  layer: ReturnType<typeof createLayer>,
  server: ServerTransaction<string>,
  status: number,
  toTag = "b1",
): boolean => {
  const response = responseOf(status, server.method, { toTag });
  return layer.transactions.respond(server, status, response.text, layer.clock.now);
};
const send = (
  layer: ReturnType<typeof createLayer>,
  method: string,
  parts: Parts = {},
): ClientTransaction<ClientTransactionUser> => {
  const { text } = requestOf(method, parts);
  const branch = parts.branch ?? "z9hG4bKabc";
  return layer.transactions.request(method, branch, text, flow, layer.user, layer.clock.now)!;
};

describe("over an unreliable transport", () => {
  it("§17.1.1.2: an INVITE is sent at 0, 500, 1500 ... ms, with doubled intervals without a cap, until Timer B fires at 64*T1", () => {
    const layer = createLayer();
    send(layer, "INVITE");
    layer.runTo(40_000);
    expect(layer.times()).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    expect(layer.results).toEqual(["tu timeout 32000", "client ended 32000"]);
    expect(layer.transactions.counts).toEqual({ server: 0, client: 0, timers: 0 });
  });

  it("§17.1.2.2: another request is sent with intervals doubled up to T2, until Timer F fires at 64*T1", () => {
    const layer = createLayer();
    send(layer, "BYE");
    layer.runTo(40_000);
    expect(layer.times()).toEqual([0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    expect(layer.results).toEqual(["tu timeout 32000", "client ended 32000"]);
  });

  it("§17.1.2.2: another request is retransmitted every T2 after a provisional response", () => {
    const layer = createLayer();
    send(layer, "BYE");
    layer.runTo(600);
    layer.transactions.receiveResponse(responseOf(100, "BYE"), 600);
    layer.runTo(40_000);
    expect(layer.times()).toEqual([0, 500, 1500, 5500, 9500, 13_500, 17_500, 21_500, 25_500, 29_500]);
    expect(layer.results).toEqual(["tu 100", "tu timeout 32000", "client ended 32000"]);
  });

  it("§17.2.1: a 486 is retransmitted with intervals doubled up to T2, until Timer H ends the transaction at 64*T1", () => {
    const layer = createLayer();
    answer(layer, receive(layer, requestOf("INVITE")), 486);
    layer.runTo(40_000);
    expect(layer.times()).toEqual([0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    expect(layer.results).toEqual(["server ended 32000"]);
  });

  it.each(["INVITE", "BYE"])(
    "each message of a %s transaction except the first of its kind is marked as a retransmission",
    (method) => {
      const layer = createLayer();
      send(layer, method, { branch: "z9hG4bKclient" });
      layer.runTo(1600);
      for (const status of [486, 486]) {
        const response = responseOf(status, method, { branch: "z9hG4bKclient" });
        layer.transactions.receiveResponse(response, layer.clock.now);
      }
      const server = receive(layer, requestOf(method));
      answer(layer, server, 486);
      layer.transactions.receiveRequest(requestOf(method), flow, layer.clock.now);
      const actual = layer.sent.map(({ text, isRetransmission }) => [text.split(" ")[0], isRetransmission]);
      const acks =
        method === "INVITE"
          ? [
              ["ACK", false],
              ["ACK", true],
            ]
          : []; // prettier-ignore
      expect(actual).toEqual([
        [method, false],
        [method, true],
        [method, true],
        ...acks,
        ["SIP/2.0", false],
        ["SIP/2.0", true],
      ]);
    },
  );

  it("the settings T1 and T2 scale the intervals", () => {
    const layer = createLayer({ timers: { t1: 100, t2: 300, t4: 1000 } });
    send(layer, "OPTIONS");
    layer.runTo(10_000);
    expect(layer.times().slice(0, 5)).toEqual([0, 100, 300, 600, 900]);
    expect(layer.results[0]).toBe("tu timeout 6400");
  });
});

describe("the lifetime of a transaction", () => {
  const lifetimes: readonly (readonly [string, (layer: ReturnType<typeof createLayer>) => void, number])[] = [
    [
      "is 32 s for an INVITE client that received a 486 (Timer D)",
      (layer) => (send(layer, "INVITE"), layer.transactions.receiveResponse(responseOf(486, "INVITE"), 0)),
      32_000,
    ], // prettier-ignore
    [
      "is 64*T1 for an INVITE client that received a 200 (Timer M)",
      (layer) => (send(layer, "INVITE"), layer.transactions.receiveResponse(responseOf(200, "INVITE"), 0)),
      32_000,
    ], // prettier-ignore
    [
      "is T4 for another client that received a final response (Timer K)",
      (layer) => (send(layer, "BYE"), layer.transactions.receiveResponse(responseOf(200, "BYE"), 0)),
      5000,
    ], // prettier-ignore
    [
      "is 64*T1 for another server that sent a final response (Timer J)",
      (layer) => answer(layer, receive(layer, requestOf("BYE")), 200),
      32_000,
    ],
    [
      "is 64*T1 for an INVITE server that sent a 200 (Timer L)",
      (layer) => answer(layer, receive(layer, requestOf("INVITE")), 200),
      32_000,
    ], // prettier-ignore
    [
      "is T4 for an INVITE server whose 486 was acknowledged (Timer I)",
      (layer) => (
        answer(layer, receive(layer, requestOf("INVITE")), 486),
        layer.transactions.receiveRequest(requestOf("ACK", { toTag: "b1" }), flow, 0)
      ),
      5000,
    ], // prettier-ignore
  ];
  it.each(lifetimes)("%s", (_name, begin, end) => {
    const layer = createLayer();
    begin(layer);
    layer.runTo(60_000);
    expect(layer.results.at(-1)).toMatch(new RegExp(`ended ${end}$`));
    expect(layer.transactions.counts).toEqual({ server: 0, client: 0, timers: 0 });
  });

  it("depends on the transport: Timer D is at least 32 s, and a reliable transport needs no A, E, G, D, I, J, K (Table 4)", () => {
    expect(unreliableLengths({ t1: 100, t2: 400, t4: 500 }).D).toBe(32_000);
    const { A, B, D, E, F, G, H, I, J, K, L, M } = reliableLengths(defaultTimers);
    expect([A, E, G]).toEqual([undefined, undefined, undefined]);
    expect([D, I, J, K]).toEqual([0, 0, 0, 0]);
    expect([B, F, H, L, M]).toEqual([32_000, 32_000, 32_000, 32_000, 32_000]);
  });
});

describe("on the server side", () => {
  it("§17.2.1: a retransmitted INVITE gets the last provisional response again, and later the final response", () => {
    const layer = createLayer();
    const server = receive(layer, requestOf("INVITE"));
    expect(layer.transactions.receiveRequest(requestOf("INVITE"), flow, 0)).toBe("absorbed");
    expect(layer.sent).toHaveLength(0);
    for (const status of [100, 180, 486]) {
      answer(layer, server, status);
      expect(layer.transactions.receiveRequest(requestOf("INVITE"), flow, 0)).toBe("absorbed");
    }
    expect(layer.sent.map(({ text }) => text.slice(8, 11))).toEqual([
      "100",
      "100",
      "180",
      "180",
      "486",
      "486",
    ]);
  });

  it("§17.2.1: the ACK to a 486 stops its retransmission, and the ACK and its retransmission are absorbed", () => {
    const layer = createLayer();
    answer(layer, receive(layer, requestOf("INVITE")), 486);
    const ack = requestOf("ACK", { toTag: "b1" });
    expect(layer.transactions.receiveRequest(ack, flow, 0)).toBe("absorbed");
    expect(layer.transactions.receiveRequest(ack, flow, 0)).toBe("absorbed");
    layer.runTo(4000);
    expect(layer.times()).toEqual([0]);
  });

  it("§17.2.2: a retransmitted BYE is discarded before the response was sent, and is answered with it after that", () => {
    const layer = createLayer();
    const server = receive(layer, requestOf("BYE"));
    layer.transactions.receiveRequest(requestOf("BYE"), flow, 0);
    answer(layer, server, 200);
    layer.transactions.receiveRequest(requestOf("BYE"), flow, 0);
    expect(layer.sent.map(({ text }) => text.slice(8, 11))).toEqual(["200", "200"]);
  });

  it("a second final response is not sent", () => {
    const layer = createLayer();
    const server = receive(layer, requestOf("INVITE"));
    expect(answer(layer, server, 486)).toBe(true);
    expect(answer(layer, server, 200)).toBe(false);
    expect(layer.sent).toHaveLength(1);
  });

  it("§9.2: a CANCEL has its own transaction and finds its INVITE", () => {
    const layer = createLayer();
    const server = receive(layer, requestOf("INVITE"));
    const cancel = requestOf("CANCEL");
    expect(receive(layer, cancel)).not.toBe(server);
    expect(layer.transactions.findInvite(cancel, flow)).toBe(server);
    expect(
      layer.transactions.findInvite(requestOf("CANCEL", { branch: "z9hG4bKother" }), flow),
    ).toBeUndefined();
  });

  it("an ACK that matches no transaction creates none", () => {
    const layer = createLayer();
    expect(layer.transactions.receiveRequest(requestOf("ACK"), flow, 0)).toBe("unmatched-ack");
    expect(layer.transactions.counts.server).toBe(0);
  });

  it("RFC 6026 §7.1: after a 200 the INVITE is absorbed without a response, further 2xx are sent, and the ACK is passed to the TU", () => {
    const layer = createLayer();
    const server = receive(layer, requestOf("INVITE"));
    answer(layer, server, 200);
    expect(layer.transactions.receiveRequest(requestOf("INVITE"), flow, 0)).toBe("absorbed");
    expect(layer.sent).toHaveLength(1);
    expect(answer(layer, server, 200)).toBe(true);
    expect(answer(layer, server, 486)).toBe(false);
    expect(layer.transactions.receiveRequest(requestOf("ACK", { toTag: "b1" }), flow, 0)).toBe("ack-to-2xx");
    layer.runTo(31_990);
    expect(layer.sent).toHaveLength(2);
    expect(layer.transactions.find(requestOf("INVITE"), flow)).toBe(server);
  });

  it("§13.2.2.4: the ACK to a 2xx has a branch of its own and belongs to the accepted INVITE, until that ends", () => {
    const layer = createLayer();
    const server = receive(layer, requestOf("INVITE"));
    const ack = requestOf("ACK", { toTag: "b1", branch: "z9hG4bKack" });
    expect(layer.transactions.receiveRequest(ack, flow, 0)).toBe("unmatched-ack");
    answer(layer, server, 200);
    expect(layer.transactions.receiveRequest(ack, flow, 0)).toBe("ack-to-2xx");
    expect(layer.transactions.receiveRequest(ack, flowOf("192.0.2.77", 5060), 0)).toBe("ack-to-2xx");
    const others = [{ callId: "other" }, { cseq: 2 }].map((difference) =>
      requestOf("ACK", { toTag: "b1", branch: "z9hG4bKack", ...difference }),
    );
    for (const other of others)
      expect(layer.transactions.receiveRequest(other, flow, 0)).toBe("unmatched-ack");
    layer.runTo(33_000);
    expect(layer.transactions.receiveRequest(ack, flow, 33_000)).toBe("unmatched-ack");
  });

  it("§13.2.2.4: the ACK to a failure with a branch of its own is not absorbed as one to a 2xx", () => {
    const layer = createLayer();
    answer(layer, receive(layer, requestOf("INVITE")), 486);
    const ack = requestOf("ACK", { toTag: "b1", branch: "z9hG4bKack" });
    expect(layer.transactions.receiveRequest(ack, flow, 0)).toBe("unmatched-ack");
  });

  it("RFC 4320 §4.2: a TU can terminate a transaction without a response", () => {
    const layer = createLayer();
    receive(layer, requestOf("BYE")).terminate();
    expect(layer.results).toEqual(["server ended 0"]);
    expect(layer.sent).toEqual([]);
    expect(layer.transactions.counts).toEqual({ server: 0, client: 0, timers: 0 });
  });

  it("a request above the limit of transactions is refused, and is accepted after another transaction ended", () => {
    const layer = createLayer({ maxTransactions: 2 });
    receive(layer, requestOf("BYE", { branch: "z9hG4bK1" })).context = "x";
    const second = receive(layer, requestOf("BYE", { branch: "z9hG4bK2" }));
    const third = requestOf("BYE", { branch: "z9hG4bK3" });
    expect(layer.transactions.receiveRequest(third, flow, 0)).toBe("full");
    expect(send(layer, "BYE")).toBeUndefined();
    second.terminate();
    expect(layer.transactions.receiveRequest(third, flow, 0)).toBeInstanceOf(ServerTransaction);
  });
});

it("a request above the limit of transactions with its Call-ID is refused, and one with another Call-ID is not", () => {
  const layer = createLayer();
  const info = (cseq: number, callId?: string): Request =>
    requestOf("INFO", { cseq, branch: `z9hG4bKinfo${cseq}`, ...(callId === undefined ? {} : { callId }) });
  const servers = Array.from({ length: maxTransactionsOfCall }, (_, i) => receive(layer, info(i)));
  const next = info(maxTransactionsOfCall);
  expect(layer.transactions.receiveRequest(next, flow, 0)).toBe("full");
  receive(layer, info(1, "other@example.com"));
  for (const i of [maxTransactionsOfCall - 1, 0, 250]) servers[i]?.terminate(); // the newest, the oldest, one between
  receive(layer, next);
  expect(layer.transactions.find(info(250), flow)).toBeUndefined();
  expect(layer.transactions.find(info(249), flow)).toBe(servers[249]);
  expect(layer.transactions.counts.server).toBe(maxTransactionsOfCall - 1);
});

it("the limit counts server and client transactions together", () => {
  const layer = createLayer({ maxTransactions: 2 });
  receive(layer, requestOf("BYE", { branch: "z9hG4bK1" }));
  send(layer, "BYE");
  expect(layer.transactions.isFull).toBe(true);
  expect(layer.transactions.receiveRequest(requestOf("BYE", { branch: "z9hG4bK2" }), flow, 0)).toBe("full");
});

describe("§17.2.3: in the match of a request to its transaction", () => {
  const same = (a: Request, b: Request): boolean => {
    const layer = createLayer();
    const server = receive(layer, a);
    return layer.transactions.find(b, flow) === server;
  };

  it("only branch, sent-by, method, Call-ID and CSeq number count when the branch has the magic cookie", () => {
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
    "URI, tags, Call-ID, CSeq and Via count when the branch is %j, without an identifier after a magic cookie",
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
    "a request with the branch of an earlier request but %j is new",
    (other) => {
      const layer = createLayer();
      for (const method of ["INVITE", "OPTIONS"]) {
        answer(layer, receive(layer, requestOf(method)), 486);
        expect(receive(layer, requestOf(method, other)).request).toMatchObject({ method });
      }
      expect(layer.transactions.receiveRequest(requestOf("ACK", other), flow, 0)).toBe("absorbed");
      expect(layer.sent).toHaveLength(2);
    },
  );

  const otherFlow = flowOf("192.0.2.77", 5060);

  it("a CANCEL or ACK with another sent-by finds its INVITE on the same flow only", () => {
    const layer = createLayer();
    const server = receive(layer, requestOf("INVITE"));
    const [cancel, ack] = [
      requestOf("CANCEL", { sentBy: "10.1.1.1" }),
      requestOf("ACK", { sentBy: "10.1.1.1" }),
    ];
    expect(layer.transactions.findInvite(cancel, flow)).toBe(server);
    expect(layer.transactions.findInvite(cancel, otherFlow)).toBeUndefined();
    answer(layer, server, 486);
    expect(layer.transactions.find(ack, flow)).toBe(server);
    expect(layer.transactions.receiveRequest(ack, otherFlow, 0)).toBe("unmatched-ack");
    expect(layer.transactions.receiveRequest(ack, flow, 0)).toBe("absorbed");
    expect(server.state).toBe("Confirmed");
  });

  it.each([{ callId: "other" }, { branch: "z9hG4bKother" }])(
    "a CANCEL or ACK with another sent-by and %j finds no INVITE",
    (other) => {
      const layer = createLayer();
      receive(layer, requestOf("INVITE"));
      const parts = { sentBy: "10.1.1.1", ...other };
      expect(layer.transactions.findInvite(requestOf("CANCEL", parts), flow)).toBeUndefined();
      expect(layer.transactions.find(requestOf("ACK", parts), flow)).toBeUndefined();
    },
  );

  it.each(["client.example.com:5060", "10.1.1.1"])(
    "a CANCEL with another CSeq number finds the latest INVITE of its branch and call, and an ACK finds none (sent-by %s)",
    (sentBy) => {
      const layer = createLayer();
      receive(layer, requestOf("INVITE"));
      const latest = receive(layer, requestOf("INVITE", { cseq: 2 }));
      const parts = { sentBy, cseq: 3 };
      expect(layer.transactions.findInvite(requestOf("CANCEL", parts), flow)).toBe(latest);
      expect(layer.transactions.findInvite(requestOf("CANCEL", parts), otherFlow)).toBeUndefined();
      expect(layer.transactions.find(requestOf("ACK", parts), flow)).toBeUndefined();
    },
  );

  it("any other request with another sent-by is new", () => {
    const layer = createLayer();
    for (const method of ["INVITE", "OPTIONS"]) {
      receive(layer, requestOf(method));
      receive(layer, requestOf(method, { sentBy: "10.1.1.1" }));
    }
    expect(layer.transactions.counts.server).toBe(4);
  });

  it("an INVITE that has ended is not found, and the later INVITE on its flow is found", () => {
    const layer = createLayer();
    const [first, second] = ["client.example.com", "10.1.1.1"].map((sentBy) =>
      receive(layer, requestOf("INVITE", { sentBy })),
    );
    const cancel = requestOf("CANCEL", { sentBy: "10.2.2.2" });
    first?.terminate();
    expect(layer.transactions.findInvite(cancel, flow)).toBe(second);
    second?.terminate();
    expect(layer.transactions.findInvite(cancel, flow)).toBeUndefined();
  });

  it("RFC 2543: the ACK is matched by the To tag of the response, and the CANCEL by the To tag of the INVITE", () => {
    const layer = createLayer();
    const invite = requestOf("INVITE", { branch: "" });
    const server = receive(layer, invite);
    expect(layer.transactions.findInvite(requestOf("CANCEL", { branch: "" }), flow)).toBe(server);
    answer(layer, server, 486, "b1");
    const ack = (toTag: string): Request => requestOf("ACK", { branch: "", toTag });
    expect(layer.transactions.receiveRequest(ack("other"), flow, 0)).toBe("unmatched-ack");
    expect(layer.transactions.receiveRequest(ack("b1"), flow, 0)).toBe("absorbed");
    expect(server.state).toBe("Confirmed");
  });

  it("RFC 2543: the ACK to a failed re-INVITE is matched by the To tag of the re-INVITE", () => {
    const layer = createLayer();
    const server = receive(layer, requestOf("INVITE", { branch: "", toTag: "b1" }));
    answer(layer, server, 488, "b1");
    expect(layer.transactions.receiveRequest(requestOf("ACK", { branch: "", toTag: "b1" }), flow, 0)).toBe(
      "absorbed",
    );
    expect(server.state).toBe("Confirmed");
  });
});

describe("on the client side", () => {
  it("§17.1.3: a response is matched by branch and CSeq method", () => {
    const layer = createLayer();
    send(layer, "INVITE");
    send(layer, "CANCEL");
    expect(layer.transactions.receiveResponse(responseOf(180, "INVITE"), 0)).toBe(true);
    expect(layer.transactions.receiveResponse(responseOf(200, "CANCEL"), 0)).toBe(true);
    expect(layer.transactions.receiveResponse(responseOf(200, "BYE"), 0)).toBe(false);
    expect(layer.transactions.receiveResponse(responseOf(180, "INVITE", { branch: "z9hG4bKx" }), 0)).toBe(
      false,
    );
    expect(layer.transactions.receiveResponse(responseOf(180, "INVITE", { branch: "" }), 0)).toBe(false);
    expect(layer.results).toEqual(["tu 180", "tu 200"]);
  });

  it("§17.1.1.3: the ACK to a 486 is built from the INVITE and the response, and is sent for each retransmission of the 486", () => {
    const layer = createLayer();
    const extra =
      "Route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\r\nRoute: <sip:p3.example.com;lr>\r\nSubject: x\r\n";
    send(layer, "INVITE", { extra });
    for (let i = 0; i < 2; i++)
      layer.transactions.receiveResponse(responseOf(486, "INVITE", { toTag: "b7" }), 0);
    expect(layer.results).toEqual(["tu 486"]);
    expect(layer.sent.slice(1).map(({ text }) => text)).toEqual(
      Array(2).fill(
        "ACK sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP client.example.com:5060;branch=z9hG4bKabc\r\n" +
          "Route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\r\nRoute: <sip:p3.example.com;lr>\r\nMax-Forwards: 70\r\n" +
          "From: Alice <sip:alice@example.com>;tag=a1\r\nTo: <sip:bob@example.com>;tag=b7\r\nCall-ID: call@example.com\r\n" +
          "CSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
      ),
    ); // prettier-ignore
  });

  it("§17.1.1.3: a 486 that is repeated after a 2xx came behind it still gets its ACK", () => {
    const layer = createLayer();
    send(layer, "INVITE");
    for (const status of [486, 200, 486]) layer.transactions.receiveResponse(responseOf(status, "INVITE"), 0);
    expect(layer.results).toEqual(["tu 486"]);
    const [, first, second] = layer.sent;
    expect(first?.text).toMatch(/^ACK sip:bob@example.com SIP\/2.0\r\n/);
    expect(second?.text).toBe(first?.text);
  });

  it("§17.1.1.3: the ACK has only the top one of several Via values", () => {
    const layer = createLayer();
    const text = requestOf("INVITE").text.replace(
      "\r\nFrom",
      ", SIP/2.0/UDP a;branch=z9hG4bKa\r\nVia: SIP/2.0/UDP b\r\nFrom",
    );
    layer.transactions.request("INVITE", "z9hG4bKabc", text, flow, layer.user, 0);
    layer.transactions.receiveResponse(responseOf(404, "INVITE"), 0);
    expect(layer.sent[1]?.text.match(/^Via: .*$/gm)).toEqual([
      "Via: SIP/2.0/UDP client.example.com:5060;branch=z9hG4bKabc",
    ]);
  });

  it("RFC 6026 §7.2: every 2xx of a fork is passed to the TU, and no ACK is sent", () => {
    const layer = createLayer();
    send(layer, "INVITE");
    for (const toTag of ["b1", "b2", "b1"])
      layer.transactions.receiveResponse(responseOf(200, "INVITE", { toTag }), 0);
    expect(layer.results).toEqual(["tu 200", "tu 200", "tu 200"]);
    expect(layer.sent).toHaveLength(1);
  });

  it("§17.1.2.2: a retransmitted final response to another request is absorbed", () => {
    const layer = createLayer();
    send(layer, "BYE");
    expect(layer.transactions.receiveResponse(responseOf(200, "BYE"), 0)).toBe(true);
    expect(layer.transactions.receiveResponse(responseOf(200, "BYE"), 0)).toBe(true);
    expect(layer.results).toEqual(["tu 200"]);
  });

  it("§9.1: an INVITE may be cancelled between its first provisional and its final response", () => {
    const layer = createLayer();
    const client = send(layer, "INVITE");
    expect(client.hasProvisional).toBe(false);
    layer.transactions.receiveResponse(responseOf(180, "INVITE"), 0);
    expect(client.hasProvisional).toBe(true);
    layer.runTo(200_000);
    expect(layer.times()).toEqual([0]);
    layer.transactions.receiveResponse(responseOf(200, "INVITE"), layer.clock.now);
    expect(client.hasProvisional).toBe(false);
  });

  it("§17.1.4: a transport failure ends a request at once, except a ringing INVITE", () => {
    const layer = createLayer();
    send(layer, "BYE").transportFailed(0);
    expect(layer.results).toEqual(["tu transport 0", "client ended 0"]);
    const invite = send(layer, "INVITE");
    layer.transactions.receiveResponse(responseOf(180, "INVITE"), 0);
    invite.transportFailed(0);
    expect(invite.state).toBe("Proceeding");
  });

  it("a transaction that the TU terminates while it receives a response leaves no timer behind", () => {
    const transactions = new Transactions<string, ClientTransactionUser>({ send: () => undefined }, 0);
    const user = { receiveResponse: () => client?.terminate(), clientFailed: () => undefined };
    const client = transactions.request("BYE", "z9hG4bKabc", requestOf("BYE").text, flow, user, 0);
    transactions.receiveResponse(responseOf(200, "BYE"), 0);
    expect(transactions.counts).toEqual({ server: 0, client: 0, timers: 0 });
  });

  it("a second transaction of one branch and method, and a transaction for an ACK, throw an Invariant", () => {
    const layer = createLayer();
    send(layer, "BYE");
    expect(() => send(layer, "BYE")).toThrow("exists");
    expect(() => send(layer, "ACK")).toThrow("no client transaction");
  });
});

describe("what a transaction keeps while it only absorbs retransmissions", () => {
  it("an answered server transaction keeps no part of its request, and still matches what belongs to it", () => {
    const layer = createLayer();
    const server = receive(layer, requestOf("INVITE"));
    answer(layer, server, 180);
    expect(server.request).toBeDefined();
    answer(layer, server, 200);
    expect([server.request, server.method, server.isInitial]).toEqual([undefined, "INVITE", true]);
    const { transactions, clock } = layer;
    expect(transactions.receiveRequest(requestOf("INVITE"), flow, clock.now)).toBe("absorbed");
    expect(transactions.findInvite(requestOf("CANCEL"), flow)).toBe(server);
    const ack = requestOf("ACK", { branch: "z9hG4bKother", toTag: "b1" });
    expect(transactions.receiveRequest(ack, flow, clock.now)).toBe("ack-to-2xx");
    layer.runTo(60_000);
    expect(transactions.counts).toEqual({ server: 0, client: 0, timers: 0 });
    expect(transactions.receiveRequest(ack, flow, clock.now)).toBe("unmatched-ack");
    expect(transactions.findInvite(requestOf("CANCEL"), flow)).toBeUndefined();
  });
});
