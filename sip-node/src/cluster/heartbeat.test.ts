import { expect, it } from "vitest";
import { createSeal } from "../auth/create-seal.ts";
import { Leases } from "../leases/leases.ts";
import { decodeFrame, type FrameKind } from "./frame.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Membership } from "./membership.ts";
import { PeerRequests } from "./peer-requests.ts";

const seal = createSeal(
  [{ id: "k", key: Buffer.alloc(32, "a"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }],
  "relay",
  () => 1,
);
const self = { id: "0123456789ab", address: { host: "a", port: 1 } };

it("pings and writes its row twice a second", async () => {
  let rows = 0;
  let now = 0;
  const sent: (FrameKind | undefined)[] = [];
  const membership = new Membership();
  membership.recordFrame("b", { host: "h", port: 1 }, 0);
  const peerRequests = new PeerRequests(self.id, {
    seal,
    sendToPeer: (bytes) => sent.push(decodeFrame(Buffer.from(bytes), seal)?.kind),
  });
  const heartbeat = new Heartbeat(self, {
    membership,
    peerRequests,
    directory: {
      join: async () => void (rows += 1),
      beat: async () => void (rows += 1),
      list: async () => [{ ...self, isGone: false, isStale: false }],
      markGone: async () => {},
      remove: async () => {},
    },
    leases: new Leases({ receiver: { apply: () => {}, distrust: () => {} }, sendChange: () => {} }),
    clock: { now: () => now, defer: (act) => act() },
    observer: { peerChanged: () => {}, directoryFailed: () => {} },
    measure: () => ({
      load: { transactions: 0, callsPerMinute: 0, requestsPerMinute: 0 },
      outsideReceivedAgo: undefined,
    }),
    recordHeld: () => {},
  });
  for (now = 20; now <= 2_000; now += 20) {
    heartbeat.advance(now);
    await new Promise((settled) => setImmediate(settled));
  }
  expect([sent, rows]).toEqual([["ping", "ping", "ping", "ping"], 4]);
});
