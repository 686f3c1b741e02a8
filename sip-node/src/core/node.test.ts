/** The floor plan with real rooms, a location in memory, and a cluster that says what the test says. */
import { beforeEach, describe, expect, it } from "vitest";
import { TestServices, withCredentials } from "../../../test/support/test-services.ts";
import { type Fields, requestText, responseText } from "../../../test/support/sip-message.ts";
import { createSeal } from "../auth/create-seal.ts";
import type { KnownFlow } from "../cluster/flow-directory.ts";
import { Node } from "./node.ts";
import { makeViaBranch } from "../proxy/via-branch.ts";
import { createTelemetry, type Telemetry } from "../telemetry/metrics.ts";
import { flowOf } from "../wire/flow.ts";
import { parseMessage } from "../wire/parse-message.ts";

const caller = flowOf("192.0.2.1", 5060);
const phone = flowOf("192.0.2.2", 5060);
const bob = "sip:bob@example.com";
const ring = [{ id: "k", key: Buffer.alloc(32, "k"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }];

let house: TestServices;
let node: Node;
let telemetry: Telemetry;
let now: number;
/** What left: "192.0.2.1 SIP/2.0 100 Trying", with the whole text. */
let sent: { readonly line: string; readonly text: string; readonly ownerNode: string }[];
let errors: unknown[];
/** Flows that were noted as this node's, and those noted as known phones', with the time in ms. */
let heardFlows: string[];
let marked: [string, number][];
/** Nodes that a response was to be passed on to. */
let passedOn: string[];
/** What this node gives to peers while it drains. */
let drain: { isDraining: boolean; isHandingOver: boolean; handed: string[]; followed: string[] };
let heard: KnownFlow;
/** Settled by the test: what peers say to an offered request. */
let offers: { readonly line: string; readonly settle: (isTaken: boolean) => void }[];

beforeEach(() => {
  house = new TestServices();
  house.store.addDomain("example.com");
  house.store.addUser("bob", "example.com");
  drain = { isDraining: false, isHandingOver: false, handed: [], followed: [] };
  house.peers.add(caller.key); // calls without a challenge
  house.store.addRow({ username: "bob", domain: "example.com" }, binding);
  [now, sent, errors, offers, passedOn, heardFlows, marked] = [1_000_000, [], [], [], [], [], []];
  heard = {
    flow: caller,
    owner: "",
    lastReceivedAt: now,
    askPeersUntil: 0,
    announcement: undefined,
    handedOverAt: undefined,
    isOutside: false,
    authenticatedUntil: 0,
  };
  telemetry = createTelemetry({
    transactions: () => node.transactions.counts,
    eventLoopLag: () => 0,
    peers: () => 0,
    flows: () => 0,
    relays: () => ({ sent: 0, received: 0, refused: 0 }),
  });
  node = new Node({
    ...house.dependencies(),
    branchSeal: createSeal(ring, "branch", () => house.now),
    telemetry,
    clock: () => now,
    log: () => {},
    reportInternalError: (error) => errors.push(error),
    isStoreFailure: () => false,
    cluster: {
      claimFlow: ({ key }) => {
        heardFlows.push(key);
        return heard;
      },
      mustAskPeers: () => heard.askPeersUntil > now,
      releaseFlows: () => {},
      markAuthenticated: ({ key }, span) => marked.push([key, span]),
      beginHandedOver: () => () => {},
      isIdle: true,
      heartbeat: drain,
      handOver: {
        start: ({ bytes }) => void drain.handed.push(requestLine(bytes)),
        follow: async (_key, bytes) => drain.followed.push(requestLine(bytes)) > 0,
        isPending: () => drain.isHandingOver,
      },
      relayResponse: (to) => {
        passedOn.push(to);
        return false;
      },
      deliver: ({ flow, ownerNode }, bytes) => {
        const text = Buffer.from(bytes).toString("latin1");
        sent.push({ line: `${flow.address} ${text.slice(0, text.indexOf("\r\n"))}`, text, ownerNode });
        return undefined;
      },
      offer: (bytes) =>
        new Promise((settle) =>
          offers.push({ line: Buffer.from(bytes).toString().split(" ")[0] ?? "", settle }),
        ),
    },
  });
});

const binding = {
  id: "22",
  contact: "sip:bob@192.0.2.2:5060",
  q: 1000,
  callId: "c",
  cseq: 1,
  expiresIn: 3600,
  flow: phone,
  isBehindNat: false,
  ownerNode: "",
  userAgent: "",
  instance: undefined,
  regId: 0,
  nonceAt: 0,
  nonceCount: 0,
  registeredAt: 0,
};

const requestLine = (bytes: Uint8Array): string =>
  Buffer.from(bytes).toString("latin1").split("\r\n")[0] ?? "";
const asks = (method: string, fields: Fields = {}): void =>
  node.datagram(Buffer.from(requestText(method, bob, fields), "latin1"), caller);
/** Everything that waits for the location in memory has been answered. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const lines = (): string[] => sent.splice(0).map(({ line }) => line);

/** The phone answers the last request of this method that reached it. */
function phoneAnswers(
  request: { readonly text: string },
  status: number,
  receive = (bytes: Buffer) => node.datagram(bytes, phone),
  fields: Fields = {},
): void {
  const message = parseMessage(request.text);
  if (message.kind !== "request") throw new Error("expected a request");
  const via = message.fields
    .filter(({ name }) => name === "via")
    .map(({ valueStart, valueEnd }) => message.text.slice(valueStart, valueEnd));
  receive(
    Buffer.from(
      responseText(status, "Reason", { Via: via, CSeq: `1 ${message.method}`, ...fields }),
      "latin1",
    ),
  );
}
/** Passes time in steps of the node's tick. */
function passes(span: number): void {
  for (const end = now + span; now < end; node.tick()) now += 50;
}

async function rings(): Promise<(typeof sent)[number]> {
  asks("INVITE");
  await settled();
  const invite = sent.find(({ line }) => line.startsWith("192.0.2.2 INVITE"));
  if (invite === undefined) throw new Error(lines().join("\n"));
  phoneAnswers(invite, 180);
  expect(lines()).toEqual([
    "192.0.2.1 SIP/2.0 100 Trying",
    "192.0.2.2 INVITE sip:bob@192.0.2.2:5060 SIP/2.0",
    "192.0.2.1 SIP/2.0 180 Reason",
  ]);
  return invite;
}

describe("RFC 3325: what is believed of who says who it is", () => {
  const says = {
    "P-Asserted-Identity": ["<sip:boss@example.com>", "<tel:+1>"],
    "P-Preferred-Identity": "<sip:boss@example.com>",
    "Remote-Party-ID": "<sip:boss@example.com>;party=calling",
  };
  const identities = (text: string): string[] =>
    text.match(/^(P-Asserted-Identity|P-Preferred-Identity|Remote-Party-ID|Privacy): .*(?=\r$)/gim) ?? [];
  const last = (start: string) => sent.findLast(({ line }) => line.startsWith(start))?.text ?? "";
  const alice = flowOf("192.0.2.7", 5060);

  /** Alice's request, which her password goes with. */
  async function aliceAsks(fields: Fields): Promise<void> {
    house.store.addUser("alice", "example.com", { password: "alice" });
    node.datagram(Buffer.from(requestText("INVITE", bob, fields), "latin1"), alice);
    await settled();
    const refusal = { status: 407, lines: last("192.0.2.7 SIP/2.0 407") };
    const signed = withCredentials(
      "INVITE",
      bob,
      { ...fields, Via: via(`signed-${String(fields["Call-ID"])}`) },
      refusal,
      "alice",
    );
    node.datagram(Buffer.from(signed.text, "latin1"), alice);
    await settled();
  }
  const via = (branch: string) => `SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK-${branch};rport`;

  it("§5: what a phone asserts goes no further, and a phone is told no more than From", async () => {
    await aliceAsks({ ...says, Privacy: "id" });
    expect(identities(last("192.0.2.2 INVITE"))).toEqual(["Privacy: id"]);
  });

  it("§5: towards a peer the caller is asserted whose password was right, whoever it says it is", async () => {
    house.peers.add(phone.key);
    await aliceAsks({ ...says, From: "<sip:anonymous@anonymous.invalid>;tag=1", Privacy: "id" });
    expect(identities(last("192.0.2.2 INVITE"))).toEqual([
      "Privacy: id",
      "P-Asserted-Identity: <sip:alice@example.com>",
    ]);
  });

  it("§7: what a peer asserts is passed on to a phone, unless privacy is asked for", async () => {
    asks("INVITE", says);
    await settled();
    expect(identities(last("192.0.2.2 INVITE"))).toEqual([
      "P-Asserted-Identity: <sip:boss@example.com>",
      "P-Asserted-Identity: <tel:+1>",
      "Remote-Party-ID: <sip:boss@example.com>;party=calling",
    ]);
    asks("INVITE", { ...says, Via: via("3"), Privacy: "id;critical" });
    await settled();
    expect(identities(last("192.0.2.2 INVITE"))).toEqual(["Privacy: id;critical"]);
  });

  it("in responses it is the same: what the called phone asserts does not reach the caller, what a peer asserts does", async () => {
    for (const isPeer of [false, true]) {
      if (isPeer) house.peers.add(phone.key);
      house.peers.delete(caller.key);
      await aliceAsks({ Via: via(`r${isPeer}`), "Call-ID": `r${isPeer}` });
      const invite = { text: last("192.0.2.2 INVITE") };
      for (const status of [180, 200]) {
        phoneAnswers(invite, status, undefined, { ...says, "Call-ID": `r${isPeer}` });
        expect(identities(last(`192.0.2.7 SIP/2.0 ${status}`)), `${status} ${isPeer}`).toHaveLength(
          isPeer ? 3 : 0,
        );
      }
    }
  });

  it("in a dialog it is the same: what a phone asserts in its BYE does not reach the peer", async () => {
    const invite = await rings();
    phoneAnswers(invite, 200);
    const [, Route = ""] = /Record-Route: (.*)\r\n/.exec(invite.text) ?? [];
    const bye = {
      ...says,
      Route,
      Via: via("b"),
      From: "<sip:bob@example.com>;tag=bob-1",
      To: "<sip:alice@example.com>;tag=alice-1",
    };
    node.datagram(Buffer.from(requestText("BYE", "sip:alice@192.0.2.1", bye), "latin1"), phone);
    await settled();
    expect(last("192.0.2.1 BYE")).not.toBe("");
    expect(identities(last("192.0.2.1 BYE"))).toEqual([]);
  });
});

it("§16.11: an ACK to a 2xx that comes again leaves as the same bytes", async () => {
  const invite = await rings();
  phoneAnswers(invite, 200);
  const [, route = ""] = /Record-Route: (.*)\r\n/.exec(invite.text) ?? [];
  const to = "<sip:bob@example.com>;tag=bob-1";
  sent.length = 0;
  for (const branch of ["z9hG4bK-2", "z9hG4bK-2", "z9hG4bK-3"]) {
    asks("ACK", { Via: `SIP/2.0/UDP 192.0.2.1:5060;branch=${branch};rport`, To: to, Route: route });
    await settled();
  }
  const [first, again, another] = sent.map(({ text }) => text);
  expect(first).toContain("ACK sip:bob@example.com");
  expect([again === first, another === first]).toEqual([true, false]);
});

describe("CANCEL (§9.2, §16.10)", () => {
  it("of a ringing INVITE: 200 to it, a CANCEL to the phone, whose 487 goes up", async () => {
    const invite = await rings();
    asks("CANCEL");
    await settled();
    expect(lines()).toEqual(["192.0.2.1 SIP/2.0 200 OK", "192.0.2.2 CANCEL sip:bob@192.0.2.2:5060 SIP/2.0"]);
    phoneAnswers(invite, 487);
    expect(lines()).toEqual(["192.0.2.2 ACK sip:bob@192.0.2.2:5060 SIP/2.0", "192.0.2.1 SIP/2.0 487 Reason"]);
    expect(node.hasOpenRequests).toBe(false);
  });

  it("is sent to the destination of its INVITE, not from whatever socket this node has", async () => {
    const invite = await rings();
    asks("CANCEL");
    await settled();
    const cancel = sent.find(({ line }) => line.includes("CANCEL"));
    expect([invite.ownerNode, cancel?.ownerNode]).toEqual([binding.ownerNode, binding.ownerNode]);
  });

  it("while the database is asked: 487 at once, and nothing goes to the phone", async () => {
    asks("INVITE");
    asks("CANCEL");
    await settled();
    expect(lines()).toEqual(["192.0.2.1 SIP/2.0 200 OK", "192.0.2.1 SIP/2.0 487 Request Terminated"]);
  });

  it("of an INVITE that a peer holds, while it is asked: the peer gets it, and this node answers neither", async () => {
    heard.askPeersUntil = now + 32_000;
    asks("INVITE");
    await settled();
    asks("CANCEL");
    await settled();
    expect(offers.map(({ line }) => line)).toEqual(["INVITE"]);
    offers[0]?.settle(true);
    await settled();
    expect(offers.map(({ line }) => line)).toEqual(["INVITE", "CANCEL"]);
    offers[1]?.settle(true);
    await settled();
    expect(lines()).toEqual([]);
    expect(node.transactions.counts.server).toBe(0);
    expect(node.hasOpenRequests).toBe(false);
  });

  it("of an INVITE that no peer holds, while they are asked: 487", async () => {
    heard.askPeersUntil = now + 32_000;
    asks("INVITE");
    await settled();
    asks("CANCEL");
    offers[0]?.settle(false);
    await settled();
    expect(lines()).toEqual(["192.0.2.1 SIP/2.0 200 OK", "192.0.2.1 SIP/2.0 487 Request Terminated"]);
  });

  it("of nothing here: 481 when no peer takes it", async () => {
    asks("CANCEL");
    await settled();
    offers[0]?.settle(false);
    await settled();
    expect(lines()).toEqual(["192.0.2.1 SIP/2.0 481 Call/Transaction Does Not Exist"]);
  });

  it("of a branch that Timer C has cancelled: no second CANCEL, no error of ours (§16.8)", async () => {
    await rings();
    passes(185_100);
    expect(lines()).toEqual(["192.0.2.2 CANCEL sip:bob@192.0.2.2:5060 SIP/2.0"]);
    asks("CANCEL");
    await settled();
    expect(errors).toEqual([]);
    expect(lines()).toEqual(["192.0.2.1 SIP/2.0 200 OK"]);
    passes(33_000);
    expect(lines()).toContain("192.0.2.1 SIP/2.0 487 Request Terminated");
    expect(node.hasOpenRequests).toBe(false);
  });
});

describe("a peer offers what this node hands over while it drains (rules 4 and 21)", () => {
  const offered = (method: string) =>
    node.acceptOffered(Buffer.from(requestText(method, bob), "latin1"), caller);

  it("its repetition goes the same way, its CANCEL and ACK follow, and the peer hears that it is taken", () => {
    drain = Object.assign(drain, { isDraining: true, isHandingOver: true });
    expect(["INVITE", "CANCEL", "ACK"].map(offered)).toEqual([true, true, true]);
    expect(drain.handed).toEqual([`INVITE ${bob} SIP/2.0`]);
    expect(drain.followed).toEqual([`CANCEL ${bob} SIP/2.0`, `ACK ${bob} SIP/2.0`]);
  });

  it.each([
    [true, false],
    [false, true],
  ])("what it does not hand over is not taken: draining %s, on its way %s", (isDraining, isHandingOver) => {
    drain = Object.assign(drain, { isDraining, isHandingOver });
    expect(offered("INVITE")).toBe(false);
    expect([drain.handed, drain.followed]).toEqual([[], []]);
  });
});

describe("§16.7 step 2: Timer C", () => {
  const cancels = () => lines().filter((line) => line.includes(" CANCEL "));

  it("starts again at every provisional response of its branch but 100", async () => {
    const invite = await rings();
    passes(100_000);
    phoneAnswers(invite, 183);
    passes(100_000);
    phoneAnswers(invite, 100);
    expect(cancels()).toEqual([]);
    passes(84_900); // 184.9 s after the 183, 84.9 s after the 100
    expect(cancels()).toEqual([]);
    passes(200);
    expect(cancels()).toEqual(["192.0.2.2 CANCEL sip:bob@192.0.2.2:5060 SIP/2.0"]);
  });
});

it.each(["constructor", "toString", "valueOf", "hasOwnProperty", "__proto__"])(
  "§16: %s is an unknown method, which is forwarded as any other and leaves nothing behind",
  async (method) => {
    asks(method);
    await settled();
    const [copy] = sent;
    expect(lines()).toEqual([`192.0.2.2 ${method} sip:bob@192.0.2.2:5060 SIP/2.0`]);
    if (copy !== undefined) phoneAnswers(copy, 501);
    expect(lines()).toEqual(["192.0.2.1 SIP/2.0 501 Reason"]);
    passes(40_000);
    expect(node.transactions.counts).toEqual({ server: 0, client: 0, timers: 0 });
    expect(node.hasOpenRequests).toBe(false);
    expect(errors).toEqual([]);
  },
);

describe("what ends without an answer of the phone", () => {
  it("the database is away: 500 with Retry-After, and the transaction ends (§21.5.1)", async () => {
    house.store.isAway = true;
    asks("INVITE");
    await settled();
    expect(sent.map(({ line }) => line)).toEqual(["192.0.2.1 SIP/2.0 500 Server Internal Error"]);
    expect(sent[0]?.text).toContain("\r\nRetry-After: 5\r\n");
    passes(40_000);
    expect(node.transactions.counts).toEqual({ server: 0, client: 0, timers: 0 });
    expect(node.hasOpenRequests).toBe(false);
  });

  it("a silent phone: 408 to INVITE after Timer B, nothing to others (RFC 4320 §4.2)", async () => {
    asks("INVITE");
    asks("MESSAGE", { Via: "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-2;rport", CSeq: "2 MESSAGE" });
    await settled();
    passes(33_000);
    const up = lines().filter((line) => line.startsWith("192.0.2.1"));
    expect([...new Set(up)]).toEqual([
      "192.0.2.1 SIP/2.0 100 Trying",
      "192.0.2.1 SIP/2.0 408 Request Timeout",
    ]);
    expect(node.hasOpenRequests).toBe(false);
  });

  it("a peer holds it: it is dropped here, for the peer answers (rule 4)", async () => {
    heard.askPeersUntil = now + 32_000;
    asks("MESSAGE");
    await settled();
    offers[0]?.settle(true);
    await settled();
    expect(lines()).toEqual([]);
    expect(node.transactions.counts.server).toBe(0);
  });
});

describe("the second socket (rule 7)", () => {
  it("takes the answer of a phone that was reached directly", async () => {
    const invite = await rings();
    phoneAnswers(invite, 200, (bytes) => node.directDatagram(bytes, phone));
    expect(lines()).toEqual(["192.0.2.1 SIP/2.0 200 Reason"]);
  });

  it("answers nobody: no request, nothing illegible, no keep-alive", async () => {
    for (const text of [
      requestText("OPTIONS", "sip:example.com"),
      "OPTIONS sip:h SIP/2.0\r\nVia: x\r\n\r\n",
      "\r\n\r\n",
    ])
      node.directDatagram(Buffer.from(text), caller);
    await settled();
    expect(lines()).toEqual([]);
    expect(node.transactions.counts.server).toBe(0);
  });
});

it("§16.7 step 3: responses go up without our Via and otherwise byte for byte", async () => {
  const invite = await rings();
  phoneAnswers(invite, 200);
  expect(sent[0]?.text).toBe(
    responseText(200, "Reason", {
      Via: "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1;received=192.0.2.1;rport=5060",
    }),
  );
});

describe("design-sip rule 5: an answer goes to where its request came from", () => {
  it("which this node heard, where no other has since", async () => {
    asks("OPTIONS", { To: "<sip:example.com>" });
    node.datagram(Buffer.from(requestText("MESSAGE", "sip:nobody@example.com"), "latin1"), caller);
    node.datagram(Buffer.from("\r\n\r\n"), caller);
    await settled();
    const answers = sent.filter(({ line }) => line.startsWith("192.0.2.1 "));
    expect(answers.length).toBeGreaterThan(1);
    expect(new Set(answers.map(({ ownerNode }) => ownerNode))).toEqual(new Set([house.dependencies().node]));
  });

  it("a 2xx of a node that died: which node heard the caller is not known", () => {
    const seal = createSeal(ring, "branch", () => house.now);
    const branch = makeViaBranch("b".repeat(12), 1, "00000000", "call-1", caller, seal);
    const via = [
      `SIP/2.0/UDP 203.0.113.1:5060;branch=${branch};rport`,
      "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1;received=192.0.2.1;rport=5060",
    ];
    node.datagram(Buffer.from(responseText(200, "OK", { Via: via }), "latin1"), phone);
    expect(sent.map(({ line, ownerNode }) => [line, ownerNode])).toEqual([["192.0.2.1 SIP/2.0 200 OK", ""]]);
  });
});

describe("§16.7 step 3: a response without a Via below ours goes to nobody", () => {
  const ownVia = ({ text }: { readonly text: string }) => /Via: ([^\r]*)\r\n/.exec(text)?.[1] ?? "";
  const answer = (via: string | readonly string[]) =>
    Buffer.from(responseText(200, "OK", { Via: via, CSeq: "1 INVITE" }), "latin1");

  it.each([
    ["nothing", (via: string) => via],
    ["a comma", (via: string) => `${via},`],
    ["an empty field", (via: string) => [via, ""]],
    ["what is no Via", (via: string) => [via, "nonsense"]],
  ])("%s below it: the call goes on, and the phone's right answer is relayed", async (_, viasOf) => {
    const invite = await rings();
    const wrong = answer(viasOf(ownVia(invite)));
    node.datagram(wrong, phone);
    node.directDatagram(wrong, phone);
    node.receiveRelayedResponse(wrong);
    expect(lines()).toEqual([]);
    phoneAnswers(invite, 200);
    expect(lines()).toEqual(["192.0.2.1 SIP/2.0 200 Reason"]);
  });

  it("nor to the node that its branch names", async () => {
    const invite = await rings();
    passedOn.length = 0;
    const other = ownVia(invite).replace(/z9hG4bK[0-9a-f]{12}/, `z9hG4bK${"b".repeat(12)}`);
    node.datagram(answer(other), phone);
    expect(passedOn).toEqual([]);
    node.datagram(answer([other, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1"]), phone);
    expect(passedOn).toEqual(["b".repeat(12)]);
  });

  it("the answer to our own CANCEL has no other Via, and ends it", async () => {
    await rings();
    asks("CANCEL");
    await settled();
    const cancel = sent.find(({ line }) => line.startsWith("192.0.2.2 CANCEL"));
    if (cancel === undefined) throw new Error("no CANCEL");
    phoneAnswers(cancel, 200);
    sent.length = 0;
    passes(3_000);
    expect(lines().filter((line) => line.includes("CANCEL"))).toEqual([]);
  });
});

it("§7.1: SIP-Version leaves in upper case, however it came", async () => {
  node.datagram(Buffer.from(requestText("INVITE", bob).replace("SIP/2.0\r\n", "sip/2.0\r\n")), caller);
  await settled();
  const invite = sent.find(({ line }) => line.startsWith("192.0.2.2 INVITE"));
  expect(invite?.line).toBe("192.0.2.2 INVITE sip:bob@192.0.2.2:5060 SIP/2.0");
  sent.length = 0;
  if (invite !== undefined)
    phoneAnswers(invite, 200, (bytes) =>
      node.datagram(Buffer.from(bytes.toString().replace("SIP/2.0 200", "sip/2.0 200")), phone),
    );
  expect(lines()).toEqual(["192.0.2.1 SIP/2.0 200 Reason"]);
});

describe("whose flow is noted as this node's", () => {
  const says = (text: string) => node.datagram(Buffer.from(text, "latin1"), caller);

  it.each([
    ["a request", requestText("OPTIONS", "sip:example.com")],
    ["a response", responseText(200, "OK")],
    ["a request that is refused as illegible", requestText("OPTIONS", "sip:example.com", { CSeq: "x" })],
    ["a keepalive", "\r\n\r\n"],
    ["a pong", "\r\n"],
    ["an empty datagram, as some phones send to keep their flow", ""],
  ])("%s: its sender's, once", (_, text) => {
    says(text);
    expect(heardFlows).toEqual([caller.key]);
  });

  it.each([
    ["bytes", "\x80\x01\xff"],
    ["a request without a Via", requestText("OPTIONS", "sip:example.com", { Via: undefined })],
    ["an illegible ACK", requestText("ACK", bob, { CSeq: "x" })],
    ["an illegible response", responseText(200, "OK", { CSeq: "x" })],
    ["another protocol", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"],
  ])("%s: nobody's, for nothing is answered", (_, text) => {
    says(text);
    expect([heardFlows, lines()]).toEqual([[], []]);
  });
});

it.each([
  ["two CRLFs", "\r\n\r\n", ["\r\n"]],
  ["one CRLF, which may be a pong itself,", "\r\n", []],
  ["a zero byte", "\0", []],
  ["CRLFs before a message", `\r\n\r\n${requestText("OPTIONS", "sip:example.com")}`, ["SIP/2.0 200 OK\r\n"]],
])("RFC 5626 §4.4.1: %s: answered with %j", async (_, text, answers) => {
  node.datagram(Buffer.from(text, "latin1"), caller);
  await settled();
  expect(sent.map((one) => one.text.slice(0, one.text.indexOf("\n") + 1))).toEqual(answers);
});

describe("whose flow is a known phone's", () => {
  it("the called one's, not that of a peer's address, which anybody can write", async () => {
    asks("INVITE");
    await settled();
    expect(marked).toEqual([[phone.key, 3_600_000]]);
  });

  it("in a dialog both are, by the token", async () => {
    const invite = await rings();
    phoneAnswers(invite, 200);
    const [, route = ""] = /Record-Route: (.*)\r\n/.exec(invite.text) ?? [];
    for (const [method, via] of [
      ["ACK", "2"],
      ["BYE", "3"],
    ] as const) {
      marked.length = 0;
      const to = "<sip:bob@example.com>;tag=bob-1";
      asks(method, { Via: `SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-${via};rport`, To: to, Route: route });
      await settled();
      expect(marked.map(([key]) => key)).toEqual([caller.key, phone.key]);
    }
  });

  it("a stranger that is challenged or refused is none", async () => {
    house.peers.clear();
    asks("INVITE");
    asks("REGISTER", { Contact: "<sip:bob@192.0.2.1>" });
    asks("OPTIONS", { Via: "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-9;rport" });
    await settled();
    expect(marked).toEqual([]);
  });
});

describe("§17.2.1: 100 Trying", () => {
  const slowly = (): (() => void) => {
    let go = (): void => {};
    const bindings = house.store.bindings.bind(house.store);
    const gate = new Promise<void>((resolve) => (go = resolve));
    house.store.bindings = async (aors) => gate.then(() => bindings(aors));
    return go;
  };

  it("leaves after 200 ms when the database is slow, and once", async () => {
    const go = slowly();
    asks("INVITE");
    await settled();
    passes(150);
    expect(lines()).toEqual([]);
    passes(100);
    expect(lines()).toEqual(["192.0.2.1 SIP/2.0 100 Trying"]);
    go();
    await settled();
    await settled();
    expect(lines()).toEqual(["192.0.2.2 INVITE sip:bob@192.0.2.2:5060 SIP/2.0"]);
  });

  it("no other method gets one", async () => {
    slowly();
    asks("MESSAGE");
    await settled();
    passes(1_000);
    expect(lines()).toEqual([]);
  });
});

describe("strowger_register_seconds", () => {
  it("has one observation for each REGISTER that was answered, refused or not, from its datagram on", async () => {
    const registers = async (): Promise<readonly [number | undefined, number | undefined]> => {
      const { values } = await telemetry.registry.getSingleMetric("strowger_register_seconds")!.get();
      const valueOf = (end: string) =>
        values.find((one) => "metricName" in one && one.metricName === `strowger_register_seconds_${end}`)
          ?.value;
      return [valueOf("count"), valueOf("sum")];
    };
    asks("OPTIONS");
    await settled();
    expect(await registers()).toEqual([0, 0]);
    house.peers.clear();
    asks("REGISTER", { Contact: "<sip:bob@192.0.2.1>" });
    now += 250;
    await settled();
    expect(lines().at(-1)).toMatch(/^192\.0\.2\.1 SIP\/2\.0 4/);
    expect(await registers()).toEqual([1, 0.25]);
  });
});
