/** The node with its real modules, a location in memory, and a cluster whose answers the test sets. */
import { beforeEach, describe, expect, it } from "vitest";
import { TestServices, withCredentials } from "../../../test/support/test-services.ts";
import { type Fields, requestText, responseText } from "../../../test/support/sip-message.ts";
import { createSeal } from "../auth/create-seal.ts";
import type { KnownFlow } from "../cluster/flow-directory.ts";
import { Node } from "./node.ts";
import { makeViaBranch } from "../proxy/via-branch.ts";
import { OverloadControl } from "../overload/overload-control.ts";
import { defaultSourceLimits } from "../overload/sources.ts";
import { createTelemetry, type Telemetry } from "../telemetry/metrics.ts";
import { flowOf } from "../wire/flow.ts";
import { parseMessage } from "../wire/parse-message.ts";

const caller = flowOf("192.0.2.1", 5060);
const phone = flowOf("192.0.2.2", 5060);
const bob = "sip:bob@example.com";
const ring = [{ id: "k", key: Buffer.alloc(32, "k"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }];

let services: TestServices;
let node: Node;
let telemetry: Telemetry;
let now: number;
/** Sent messages: "192.0.2.1 SIP/2.0 100 Trying", with the whole text. */
let sent: { readonly line: string; readonly text: string; readonly ownerNode: string }[];
let errors: unknown[];
/** Flows that this node claimed, and flows that were marked as authenticated, with the time in ms. */
let claimedFlows: string[];
let marked: [string, number][];
/** Nodes to which a response was to be relayed. */
let relayedTo: string[];
/** Requests that this node hands over to peers while it drains. */
let drainState: { isDraining: boolean; isHandingOver: boolean; handedOver: string[]; followed: string[] };
let knownFlow: KnownFlow;
/** Requests offered to peers; the test settles the answer of the peers. */
let offers: { readonly line: string; readonly settle: (isTaken: boolean) => void }[];

beforeEach(() => {
  services = new TestServices();
  services.store.addDomain("example.com");
  services.store.addUser("bob", "example.com");
  drainState = { isDraining: false, isHandingOver: false, handedOver: [], followed: [] };
  services.peers.add(caller.key); // a peer calls without a challenge
  services.store.addRow({ username: "bob", domain: "example.com" }, binding);
  [now, sent, errors, offers, relayedTo, claimedFlows, marked] = [1_000_000, [], [], [], [], [], []];
  knownFlow = {
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
    udp: () => [],
    streams: () => [],
    relays: () => ({ sent: 0, received: 0, refused: 0 }),
    leases: () => ({ isCurrent: false, held: 0, needed: 0, announced: 0, distrusts: 0 }),
    copied: () => ({}),
    evicted: () => ({}),
    dropped: () => ({}),
    failedLogins: () => 0,
    loadLevel: () => 0,
  });
  node = new Node({
    ...services.dependencies(),
    branchSeal: createSeal(ring, "branch", () => services.now),
    telemetry,
    clock: () => now,
    logRequest: undefined,
    overload: new OverloadControl(defaultSourceLimits, now),
    reportInternalError: (error) => errors.push(error),
    isStoreFailure: () => false,
    cluster: {
      claimFlow: ({ key }) => {
        claimedFlows.push(key);
        return knownFlow;
      },
      isAuthenticated: () => false,
      hasServingPeers: () => false,
      askPeersAbout: () => {},
      mustAskPeers: () => knownFlow.askPeersUntil > now,
      releaseFlows: () => {},
      markAuthenticated: ({ key }, span) => marked.push([key, span]),
      beginHandedOver: () => () => {},
      isIdle: true,
      heartbeat: drainState,
      handOver: {
        start: ({ datagram }) => void drainState.handedOver.push(requestLine(datagram)),
        follow: async (_key, datagram) => drainState.followed.push(requestLine(datagram)) > 0,
        isPending: () => drainState.isHandingOver,
      },
      relayResponse: (to) => {
        relayedTo.push(to);
        return false;
      },
      deliver: ({ flow, ownerNode }, text) => {
        sent.push({ line: `${flow.address} ${text.slice(0, text.indexOf("\r\n"))}`, text, ownerNode });
        return undefined;
      },
      offer: (datagram) =>
        new Promise((settle) => offers.push({ line: datagram.split(" ")[0] ?? "", settle })),
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

const requestLine = (datagram: string): string => datagram.split("\r\n")[0] ?? "";
const receiveRequest = (method: string, fields: Fields = {}): void =>
  node.receiveDatagram(requestText(method, bob, fields), caller);
/** Resolves when all look-ups in the location in memory are answered. */
const lookUpsDone = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const lines = (): string[] => sent.splice(0).map(({ line }) => line);

/** The phone answers this request. */
function answerFromPhone(
  request: { readonly text: string },
  status: number,
  receive = (datagram: string) => node.receiveDatagram(datagram, phone),
  fields: Fields = {},
): void {
  const message = parseMessage(request.text);
  if (message.kind !== "request") throw new Error("expected a request");
  const via = message.fields
    .filter(({ name }) => name === "via")
    .map(({ valueStart, valueEnd }) => message.text.slice(valueStart, valueEnd));
  receive(responseText(status, "Reason", { Via: via, CSeq: `1 ${message.method}`, ...fields }));
}
/** Advances the clock in steps of the node's tick. */
function passTime(span: number): void {
  for (const end = now + span; now < end; node.tick()) now += 50;
}

async function ringPhone(): Promise<(typeof sent)[number]> {
  receiveRequest("INVITE");
  await lookUpsDone();
  const invite = sent.find(({ line }) => line.startsWith("192.0.2.2 INVITE"));
  if (invite === undefined) throw new Error(lines().join("\n"));
  answerFromPhone(invite, 180);
  expect(lines()).toEqual([
    "192.0.2.1 SIP/2.0 100 Trying",
    "192.0.2.2 INVITE sip:bob@192.0.2.2:5060 SIP/2.0",
    "192.0.2.1 SIP/2.0 180 Reason",
  ]);
  return invite;
}

describe("RFC 3325: the asserted identity", () => {
  const claims = {
    "P-Asserted-Identity": ["<sip:boss@example.com>", "<tel:+1>"],
    "P-Preferred-Identity": "<sip:boss@example.com>",
    "Remote-Party-ID": "<sip:boss@example.com>;party=calling",
  };
  const identities = (text: string): string[] =>
    text.match(/^(P-Asserted-Identity|P-Preferred-Identity|Remote-Party-ID|Privacy): .*(?=\r$)/gim) ?? [];
  const lastSent = (start: string) => sent.findLast(({ line }) => line.startsWith(start))?.text ?? "";
  const alice = flowOf("192.0.2.7", 5060);

  /** Alice's INVITE, with the credentials of her password. */
  async function inviteFromAlice(fields: Fields): Promise<void> {
    services.store.addUser("alice", "example.com", { password: "alice" });
    node.receiveDatagram(requestText("INVITE", bob, fields), alice);
    await lookUpsDone();
    const challenge = { status: 407, lines: lastSent("192.0.2.7 SIP/2.0 407") };
    const signed = withCredentials(
      "INVITE",
      bob,
      { ...fields, Via: via(`signed-${String(fields["Call-ID"])}`) },
      challenge,
      "alice",
    );
    node.receiveDatagram(signed.text, alice);
    await lookUpsDone();
  }
  const via = (branch: string) => `SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK-${branch};rport`;

  it("§5: is removed from a request of a phone, and the called phone gets only From", async () => {
    await inviteFromAlice({ ...claims, Privacy: "id" });
    expect(identities(lastSent("192.0.2.2 INVITE"))).toEqual(["Privacy: id"]);
  });

  it("§5: towards a peer is the authenticated caller, independent of the identity in the request", async () => {
    services.peers.add(phone.key);
    await inviteFromAlice({ ...claims, From: "<sip:anonymous@anonymous.invalid>;tag=1", Privacy: "id" });
    expect(identities(lastSent("192.0.2.2 INVITE"))).toEqual([
      "Privacy: id",
      "P-Asserted-Identity: <sip:alice@example.com>",
    ]);
  });

  it("§7: is forwarded from a peer to a phone unless the request has Privacy: id", async () => {
    receiveRequest("INVITE", claims);
    await lookUpsDone();
    expect(identities(lastSent("192.0.2.2 INVITE"))).toEqual([
      "P-Asserted-Identity: <sip:boss@example.com>",
      "P-Asserted-Identity: <tel:+1>",
      "Remote-Party-ID: <sip:boss@example.com>;party=calling",
    ]);
    receiveRequest("INVITE", { ...claims, Via: via("3"), Privacy: "id;critical" });
    await lookUpsDone();
    expect(identities(lastSent("192.0.2.2 INVITE"))).toEqual(["Privacy: id;critical"]);
  });

  it("is removed from a response of the called phone and kept in a response of a peer", async () => {
    for (const isPeer of [false, true]) {
      if (isPeer) services.peers.add(phone.key);
      services.peers.delete(caller.key);
      await inviteFromAlice({ Via: via(`r${isPeer}`), "Call-ID": `r${isPeer}` });
      const invite = { text: lastSent("192.0.2.2 INVITE") };
      for (const status of [180, 200]) {
        answerFromPhone(invite, status, undefined, { ...claims, "Call-ID": `r${isPeer}` });
        expect(identities(lastSent(`192.0.2.7 SIP/2.0 ${status}`)), `${status} ${isPeer}`).toHaveLength(
          isPeer ? 3 : 0,
        );
      }
    }
  });

  it("is removed from the BYE that a phone sends to a peer in a dialog", async () => {
    const invite = await ringPhone();
    answerFromPhone(invite, 200);
    const [, Route = ""] = /Record-Route: (.*)\r\n/.exec(invite.text) ?? [];
    const bye = {
      ...claims,
      Route,
      Via: via("b"),
      From: "<sip:bob@example.com>;tag=bob-1",
      To: "<sip:alice@example.com>;tag=alice-1",
    };
    node.receiveDatagram(requestText("BYE", "sip:alice@192.0.2.1", bye), phone);
    await lookUpsDone();
    expect(lastSent("192.0.2.1 BYE")).not.toBe("");
    expect(identities(lastSent("192.0.2.1 BYE"))).toEqual([]);
  });
});

it("§16.11: a retransmitted ACK to a 2xx is forwarded as the same bytes", async () => {
  const invite = await ringPhone();
  answerFromPhone(invite, 200);
  const [, route = ""] = /Record-Route: (.*)\r\n/.exec(invite.text) ?? [];
  const to = "<sip:bob@example.com>;tag=bob-1";
  sent.length = 0;
  for (const branch of ["z9hG4bK-2", "z9hG4bK-2", "z9hG4bK-3"]) {
    receiveRequest("ACK", { Via: `SIP/2.0/UDP 192.0.2.1:5060;branch=${branch};rport`, To: to, Route: route });
    await lookUpsDone();
  }
  const [first, again, another] = sent.map(({ text }) => text);
  expect(first).toContain("ACK sip:bob@example.com");
  expect([again === first, another === first]).toEqual([true, false]);
});

describe("a CANCEL (§9.2, §16.10)", () => {
  it("of a ringing INVITE gets a 200 and is sent to the phone, and the 487 of the phone is forwarded", async () => {
    const invite = await ringPhone();
    receiveRequest("CANCEL");
    await lookUpsDone();
    expect(lines()).toEqual(["192.0.2.1 SIP/2.0 200 OK", "192.0.2.2 CANCEL sip:bob@192.0.2.2:5060 SIP/2.0"]);
    answerFromPhone(invite, 487);
    expect(lines()).toEqual(["192.0.2.2 ACK sip:bob@192.0.2.2:5060 SIP/2.0", "192.0.2.1 SIP/2.0 487 Reason"]);
    expect(node.hasOpenRequests).toBe(false);
  });

  it("is sent to the same owner node as its INVITE", async () => {
    const invite = await ringPhone();
    receiveRequest("CANCEL");
    await lookUpsDone();
    const cancel = sent.find(({ line }) => line.includes("CANCEL"));
    expect([invite.ownerNode, cancel?.ownerNode]).toEqual([binding.ownerNode, binding.ownerNode]);
  });

  it("during the look-up in the database causes a 487 at once, and the phone gets no request", async () => {
    receiveRequest("INVITE");
    receiveRequest("CANCEL");
    await lookUpsDone();
    expect(lines()).toEqual(["192.0.2.1 SIP/2.0 200 OK", "192.0.2.1 SIP/2.0 487 Request Terminated"]);
  });

  it("of an INVITE that a peer holds is given to the peer after its answer, and this node answers neither request", async () => {
    knownFlow.askPeersUntil = now + 32_000;
    receiveRequest("INVITE");
    await lookUpsDone();
    receiveRequest("CANCEL");
    await lookUpsDone();
    expect(offers.map(({ line }) => line)).toEqual(["INVITE"]);
    offers[0]?.settle(true);
    await lookUpsDone();
    expect(offers.map(({ line }) => line)).toEqual(["INVITE", "CANCEL"]);
    offers[1]?.settle(true);
    await lookUpsDone();
    expect(lines()).toEqual([]);
    expect(node.transactions.counts.server).toBe(0);
    expect(node.hasOpenRequests).toBe(false);
  });

  it("of an INVITE that no peer holds causes a 487 after the answer of the peers", async () => {
    knownFlow.askPeersUntil = now + 32_000;
    receiveRequest("INVITE");
    await lookUpsDone();
    receiveRequest("CANCEL");
    offers[0]?.settle(false);
    await lookUpsDone();
    expect(lines()).toEqual(["192.0.2.1 SIP/2.0 200 OK", "192.0.2.1 SIP/2.0 487 Request Terminated"]);
  });

  it("without a matching INVITE on this node or on a peer gets a 481", async () => {
    receiveRequest("CANCEL");
    await lookUpsDone();
    offers[0]?.settle(false);
    await lookUpsDone();
    expect(lines()).toEqual(["192.0.2.1 SIP/2.0 481 Call/Transaction Does Not Exist"]);
  });

  it("§16.8: causes no second CANCEL and no internal error for a branch that Timer C has cancelled", async () => {
    await ringPhone();
    passTime(185_100);
    expect(lines()).toEqual(["192.0.2.2 CANCEL sip:bob@192.0.2.2:5060 SIP/2.0"]);
    receiveRequest("CANCEL");
    await lookUpsDone();
    expect(errors).toEqual([]);
    expect(lines()).toEqual(["192.0.2.1 SIP/2.0 200 OK"]);
    passTime(33_000);
    expect(lines()).toContain("192.0.2.1 SIP/2.0 487 Request Terminated");
    expect(node.hasOpenRequests).toBe(false);
  });
});

describe("an offered request on a draining node (rules 4 and 21)", () => {
  const offered = (method: string) => node.acceptOffered(requestText(method, bob), caller);

  it("is accepted and handed over as the first copy was, and its CANCEL and ACK follow it", () => {
    drainState = Object.assign(drainState, { isDraining: true, isHandingOver: true });
    expect(["INVITE", "CANCEL", "ACK"].map(offered)).toEqual([true, true, true]);
    expect(drainState.handedOver).toEqual([`INVITE ${bob} SIP/2.0`]);
    expect(drainState.followed).toEqual([`CANCEL ${bob} SIP/2.0`, `ACK ${bob} SIP/2.0`]);
  });

  it.each([
    [true, false],
    [false, true],
  ])(
    "is not accepted when the node does not hand it over: node draining %s, hand-over pending %s",
    (isDraining, isHandingOver) => {
      drainState = Object.assign(drainState, { isDraining, isHandingOver });
      expect(offered("INVITE")).toBe(false);
      expect([drainState.handedOver, drainState.followed]).toEqual([[], []]);
    },
  );
});

describe("§16.7 step 2: Timer C", () => {
  const cancels = () => lines().filter((line) => line.includes(" CANCEL "));

  it("restarts at every provisional response of its branch except 100", async () => {
    const invite = await ringPhone();
    passTime(100_000);
    answerFromPhone(invite, 183);
    passTime(100_000);
    answerFromPhone(invite, 100);
    expect(cancels()).toEqual([]);
    passTime(84_900); // 184.9 s after the 183, 84.9 s after the 100
    expect(cancels()).toEqual([]);
    passTime(200);
    expect(cancels()).toEqual(["192.0.2.2 CANCEL sip:bob@192.0.2.2:5060 SIP/2.0"]);
  });
});

it.each(["constructor", "toString", "valueOf", "hasOwnProperty", "__proto__"])(
  "§16: a request with the unknown method %s is forwarded like any other and leaves no state behind",
  async (method) => {
    receiveRequest(method);
    await lookUpsDone();
    const [copy] = sent;
    expect(lines()).toEqual([`192.0.2.2 ${method} sip:bob@192.0.2.2:5060 SIP/2.0`]);
    if (copy !== undefined) answerFromPhone(copy, 501);
    expect(lines()).toEqual(["192.0.2.1 SIP/2.0 501 Reason"]);
    passTime(40_000);
    expect(node.transactions.counts).toEqual({ server: 0, client: 0, timers: 0 });
    expect(node.hasOpenRequests).toBe(false);
    expect(errors).toEqual([]);
  },
);

describe("a request without an answer of the phone", () => {
  it("§21.5.1: gets a 500 with Retry-After while the database is unavailable, and its transaction ends", async () => {
    services.store.isAway = true;
    receiveRequest("INVITE");
    await lookUpsDone();
    expect(sent.map(({ line }) => line)).toEqual(["192.0.2.1 SIP/2.0 500 Server Internal Error"]);
    expect(sent[0]?.text).toContain("\r\nRetry-After: 5\r\n");
    passTime(40_000);
    expect(node.transactions.counts).toEqual({ server: 0, client: 0, timers: 0 });
    expect(node.hasOpenRequests).toBe(false);
  });

  it("RFC 4320 §4.2: gets a 408 after Timer B when it is an INVITE, and no response when it is not", async () => {
    receiveRequest("INVITE");
    receiveRequest("MESSAGE", {
      Via: "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-2;rport",
      CSeq: "2 MESSAGE",
    });
    await lookUpsDone();
    passTime(33_000);
    const toCaller = lines().filter((line) => line.startsWith("192.0.2.1"));
    expect([...new Set(toCaller)]).toEqual([
      "192.0.2.1 SIP/2.0 100 Trying",
      "192.0.2.1 SIP/2.0 408 Request Timeout",
    ]);
    expect(node.hasOpenRequests).toBe(false);
  });

  it("is dropped when a peer holds its transaction, because the peer answers it (rule 4)", async () => {
    knownFlow.askPeersUntil = now + 32_000;
    receiveRequest("MESSAGE");
    await lookUpsDone();
    offers[0]?.settle(true);
    await lookUpsDone();
    expect(lines()).toEqual([]);
    expect(node.transactions.counts.server).toBe(0);
  });
});

describe("the second socket (rule 7)", () => {
  it("receives the response of a phone that was reached directly", async () => {
    const invite = await ringPhone();
    answerFromPhone(invite, 200, (datagram) => node.receiveDirectDatagram(datagram, phone));
    expect(lines()).toEqual(["192.0.2.1 SIP/2.0 200 Reason"]);
  });

  it("answers no request, no malformed message and no keep-alive", async () => {
    for (const text of [
      requestText("OPTIONS", "sip:example.com"),
      "OPTIONS sip:h SIP/2.0\r\nVia: x\r\n\r\n",
      "\r\n\r\n",
    ])
      node.receiveDirectDatagram(text, caller);
    await lookUpsDone();
    expect(lines()).toEqual([]);
    expect(node.transactions.counts.server).toBe(0);
  });
});

it("§16.7 step 3: a response is forwarded without our Via and otherwise byte for byte", async () => {
  const invite = await ringPhone();
  answerFromPhone(invite, 200);
  expect(sent[0]?.text).toBe(
    responseText(200, "Reason", {
      Via: "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1;received=192.0.2.1;rport=5060",
    }),
  );
});

describe("design-sip rule 5: the owner node of the destination of a response", () => {
  it("is this node, which received the request", async () => {
    receiveRequest("OPTIONS", { To: "<sip:example.com>" });
    node.receiveDatagram(requestText("MESSAGE", "sip:nobody@example.com"), caller);
    node.receiveDatagram("\r\n\r\n", caller);
    await lookUpsDone();
    const answers = sent.filter(({ line }) => line.startsWith("192.0.2.1 "));
    expect(answers.length).toBeGreaterThan(1);
    expect(new Set(answers.map(({ ownerNode }) => ownerNode))).toEqual(
      new Set([services.dependencies().node]),
    );
  });

  it("is unknown for a 2xx to an INVITE of a node that failed", () => {
    const seal = createSeal(ring, "branch", () => services.now);
    const branch = makeViaBranch("b".repeat(12), 1, "00000000", "call-1", caller, seal);
    const via = [
      `SIP/2.0/UDP 203.0.113.1:5060;branch=${branch};rport`,
      "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1;received=192.0.2.1;rport=5060",
    ];
    node.receiveDatagram(responseText(200, "OK", { Via: via }), phone);
    expect(sent.map(({ line, ownerNode }) => [line, ownerNode])).toEqual([["192.0.2.1 SIP/2.0 200 OK", ""]]);
  });
});

describe("§16.7 step 3: a response without a Via below ours", () => {
  const ownVia = ({ text }: { readonly text: string }) => /Via: ([^\r]*)\r\n/.exec(text)?.[1] ?? "";
  const answer = (via: string | readonly string[]) => responseText(200, "OK", { Via: via, CSeq: "1 INVITE" });

  it.each([
    ["nothing", (via: string) => via],
    ["a comma", (via: string) => `${via},`],
    ["an empty field", (via: string) => [via, ""]],
    ["an invalid Via", (via: string) => [via, "nonsense"]],
  ])(
    "is dropped when it has %s below our Via, and the valid response of the phone is forwarded",
    async (_, viasOf) => {
      const invite = await ringPhone();
      const wrong = answer(viasOf(ownVia(invite)));
      node.receiveDatagram(wrong, phone);
      node.receiveDirectDatagram(wrong, phone);
      node.receiveRelayedResponse(wrong);
      expect(lines()).toEqual([]);
      answerFromPhone(invite, 200);
      expect(lines()).toEqual(["192.0.2.1 SIP/2.0 200 Reason"]);
    },
  );

  it("is not relayed to the node in its branch", async () => {
    const invite = await ringPhone();
    relayedTo.length = 0;
    const other = ownVia(invite).replace(/z9hG4bK[0-9a-f]{12}/, `z9hG4bK${"b".repeat(12)}`);
    node.receiveDatagram(answer(other), phone);
    expect(relayedTo).toEqual([]);
    node.receiveDatagram(answer([other, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1"]), phone);
    expect(relayedTo).toEqual(["b".repeat(12)]);
  });

  it("ends our CANCEL when it is the response to it", async () => {
    await ringPhone();
    receiveRequest("CANCEL");
    await lookUpsDone();
    const cancel = sent.find(({ line }) => line.startsWith("192.0.2.2 CANCEL"));
    if (cancel === undefined) throw new Error("no CANCEL");
    answerFromPhone(cancel, 200);
    sent.length = 0;
    passTime(3_000);
    expect(lines().filter((line) => line.includes("CANCEL"))).toEqual([]);
  });
});

it("§7.1: SIP-Version is sent in upper case when it was received in lower case", async () => {
  node.receiveDatagram(requestText("INVITE", bob).replace("SIP/2.0\r\n", "sip/2.0\r\n"), caller);
  await lookUpsDone();
  const invite = sent.find(({ line }) => line.startsWith("192.0.2.2 INVITE"));
  expect(invite?.line).toBe("192.0.2.2 INVITE sip:bob@192.0.2.2:5060 SIP/2.0");
  sent.length = 0;
  if (invite !== undefined)
    answerFromPhone(invite, 200, (bytes) =>
      node.receiveDatagram(bytes.toString().replace("SIP/2.0 200", "sip/2.0 200"), phone),
    );
  expect(lines()).toEqual(["192.0.2.1 SIP/2.0 200 Reason"]);
});

describe("the flow of a sender", () => {
  const receiveText = (text: string) => node.receiveDatagram(text, caller);

  it.each([
    ["a request", requestText("OPTIONS", "sip:example.com")],
    ["a response", responseText(200, "OK")],
    ["a request that is refused as malformed", requestText("OPTIONS", "sip:example.com", { CSeq: "x" })],
    ["a keepalive", "\r\n\r\n"],
    ["a pong", "\r\n"],
    ["an empty datagram, as some phones send to keep their flow", ""],
  ])("is claimed once by this node after %s", (_, text) => {
    receiveText(text);
    expect(claimedFlows).toEqual([caller.key]);
  });

  it.each([
    ["bytes that are not text", "\x80\x01\xff"],
    ["a request without a Via", requestText("OPTIONS", "sip:example.com", { Via: undefined })],
    ["a malformed ACK", requestText("ACK", bob, { CSeq: "x" })],
    ["a malformed response", responseText(200, "OK", { CSeq: "x" })],
    ["a message of another protocol", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"],
  ])("is not claimed after %s, which gets no response", (_, text) => {
    receiveText(text);
    expect([claimedFlows, lines()]).toEqual([[], []]);
  });
});

it.each([
  ["two CRLFs", "\r\n\r\n", ["\r\n"]],
  ["one CRLF, which may be a pong,", "\r\n", []],
  ["a zero byte", "\0", []],
  ["CRLFs before a message", `\r\n\r\n${requestText("OPTIONS", "sip:example.com")}`, ["SIP/2.0 200 OK\r\n"]],
])("RFC 5626 §4.4.1: a datagram of %s is answered with %j", async (_, text, answers) => {
  node.receiveDatagram(text, caller);
  await lookUpsDone();
  expect(sent.map((one) => one.text.slice(0, one.text.indexOf("\n") + 1))).toEqual(answers);
});

describe("the mark of a flow as authenticated", () => {
  it("is set for the called phone and not for the address of a peer, which can be forged", async () => {
    receiveRequest("INVITE");
    await lookUpsDone();
    expect(marked).toEqual([[phone.key, 3_600_000]]);
  });

  it("is set for both phones of a dialog by the flow token", async () => {
    const invite = await ringPhone();
    answerFromPhone(invite, 200);
    const [, route = ""] = /Record-Route: (.*)\r\n/.exec(invite.text) ?? [];
    for (const [method, via] of [
      ["ACK", "2"],
      ["BYE", "3"],
    ] as const) {
      marked.length = 0;
      const to = "<sip:bob@example.com>;tag=bob-1";
      receiveRequest(method, {
        Via: `SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-${via};rport`,
        To: to,
        Route: route,
      });
      await lookUpsDone();
      expect(marked.map(([key]) => key)).toEqual([caller.key, phone.key]);
    }
  });

  it("is not set for an unauthenticated sender that is challenged or refused", async () => {
    services.peers.clear();
    receiveRequest("INVITE");
    receiveRequest("REGISTER", { Contact: "<sip:bob@192.0.2.1>" });
    receiveRequest("OPTIONS", { Via: "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-9;rport" });
    await lookUpsDone();
    expect(marked).toEqual([]);
  });
});

describe("§17.2.1: a 100 Trying", () => {
  const delayLookUps = (): (() => void) => {
    let release = (): void => {};
    const bindings = services.store.bindings.bind(services.store);
    const gate = new Promise<void>((resolve) => (release = resolve));
    services.store.bindings = async (aors) => gate.then(() => bindings(aors));
    return release;
  };

  it("is sent once after 200 ms when the database is slow", async () => {
    const release = delayLookUps();
    receiveRequest("INVITE");
    await lookUpsDone();
    passTime(150);
    expect(lines()).toEqual([]);
    passTime(100);
    expect(lines()).toEqual(["192.0.2.1 SIP/2.0 100 Trying"]);
    release();
    await lookUpsDone();
    await lookUpsDone();
    expect(lines()).toEqual(["192.0.2.2 INVITE sip:bob@192.0.2.2:5060 SIP/2.0"]);
  });

  it("is not sent to a request that is not an INVITE", async () => {
    delayLookUps();
    receiveRequest("MESSAGE");
    await lookUpsDone();
    passTime(1_000);
    expect(lines()).toEqual([]);
  });
});

describe("strowger_register_seconds", () => {
  it("has one observation for each answered REGISTER, refused or accepted, measured from its datagram", async () => {
    const readSamples = async (): Promise<readonly [number | undefined, number | undefined]> => {
      const { values } = await telemetry.registry.getSingleMetric("strowger_register_seconds")!.get();
      const valueOf = (end: string) =>
        values.find((one) => "metricName" in one && one.metricName === `strowger_register_seconds_${end}`)
          ?.value;
      return [valueOf("count"), valueOf("sum")];
    };
    receiveRequest("OPTIONS");
    await lookUpsDone();
    expect(await readSamples()).toEqual([0, 0]);
    services.peers.clear();
    receiveRequest("REGISTER", { Contact: "<sip:bob@192.0.2.1>" });
    now += 250;
    await lookUpsDone();
    expect(lines().at(-1)).toMatch(/^192\.0\.2\.1 SIP\/2\.0 4/);
    expect(await readSamples()).toEqual([1, 0.25]);
  });
});
