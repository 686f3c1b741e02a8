/** Responses to unauthenticated senders leave no state behind (RFC 3261 §8.2.7, §26.3.2.4). */
import { beforeEach, describe, expect, it } from "vitest";
import { TestServices } from "../../../test/support/test-services.ts";
import { type Fields, requestText } from "../../../test/support/sip-message.ts";
import { createSeal } from "../auth/create-seal.ts";
import type { KnownFlow } from "../cluster/flow-directory.ts";
import { Node } from "./node.ts";
import { OverloadControl } from "../overload/overload-control.ts";
import { defaultSourceLimits } from "../overload/sources.ts";
import { createTelemetry } from "../telemetry/metrics.ts";
import { flowOf } from "../wire/flow.ts";

const ring = [{ id: "k", key: Buffer.alloc(32, "k"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }];
const sender = flowOf("192.0.2.1", 5060);
const bob = "sip:bob@example.com";

let services: TestServices;
let sent: string[];
let offered: number;

function startNode(): Node {
  const knownFlow: KnownFlow = {
    flow: sender,
    owner: "",
    lastReceivedAt: 0,
    askPeersUntil: 0,
    announcement: undefined,
    handedOverAt: undefined,
    isOutside: false,
    authenticatedUntil: 0,
  };
  const node: Node = new Node({
    ...services.dependencies(),
    branchSeal: createSeal(ring, "branch", () => services.now),
    telemetry: createTelemetry({
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
    }),
    clock: () => services.now,
    logRequest: undefined,
    overload: new OverloadControl(defaultSourceLimits, services.now),
    reportInternalError: (error) => expect.unreachable(String(error)),
    isStoreFailure: () => false,
    cluster: {
      claimFlow: () => knownFlow,
      isAuthenticated: () => false,
      hasServingPeers: () => false,
      askPeersAbout: () => {},
      mustAskPeers: () => false,
      releaseFlows: () => {},
      markAuthenticated: () => {},
      beginHandedOver: () => () => {},
      isIdle: true,
      heartbeat: { isDraining: false },
      handOver: { start: () => {}, follow: async () => false, isPending: () => false },
      relayResponse: () => false,
      deliver: (_to, bytes) => void sent.push(Buffer.from(bytes).toString("latin1")),
      offer: async () => {
        offered += 1;
        return false;
      },
    },
  });
  return node;
}

beforeEach(() => {
  services = new TestServices();
  services.store.addDomain("example.com");
  services.store.addUser("bob", "example.com");
  [sent, offered] = [[], 0];
});

async function receive(node: Node, method: string, uri: string, fields: Fields = {}): Promise<void> {
  node.receiveDatagram(requestText(method, uri, fields), sender);
  await new Promise((resolve) => void setImmediate(resolve));
}
const tagOf = (text: string | undefined): string => /^To: .*;tag=(\S+)$/m.exec(text ?? "")?.[1] ?? "";

describe("an unauthenticated sender", () => {
  it.each([
    [407, "INVITE", bob, {}],
    [407, "MESSAGE", bob, {}],
    [401, "REGISTER", "sip:example.com", { To: `<${bob}>` }],
    [483, "INVITE", bob, { "Max-Forwards": "0" }],
    [403, "INVITE", bob, { Route: "<sip:192.0.2.99;lr>" }],
    [404, "INVITE", "sip:x@elsewhere.example", { From: "<sip:y@elsewhere.example>;tag=1" }],
    [200, "OPTIONS", "sip:example.com", {}],
    [481, "CANCEL", bob, {}],
  ])("gets one %i response to %s, and no transaction remains", async (status, method, uri, fields) => {
    const node = startNode();
    await receive(node, method, uri, fields);
    services.now += 40_000;
    node.tick();
    expect(sent.map((text) => text.slice(8, 11))).toEqual([String(status)]);
    expect(node.transactions.counts).toEqual({ server: 0, client: 0, timers: 0 });
    expect(node.hasOpenRequests).toBe(false);
  });

  it("§8.2.7: gets the same To tag from every node when it retransmits its request", async () => {
    await receive(startNode(), "INVITE", bob);
    await receive(startNode(), "INVITE", bob);
    expect(sent).toHaveLength(2);
    expect(tagOf(sent[0])).not.toBe("");
    expect(tagOf(sent[1])).toBe(tagOf(sent[0]));
  });

  it("sends an ACK that every node recognises without a query to peers, while any other ACK is offered to peers", async () => {
    await receive(startNode(), "INVITE", bob);
    await receive(startNode(), "ACK", bob, { To: `<${bob}>;tag=${tagOf(sent[0])}` });
    expect(offered).toBe(0);
    await receive(startNode(), "ACK", bob, { To: `<${bob}>;tag=made-up` });
    expect(offered).toBe(1);
    expect(sent).toHaveLength(1);
  });
});
