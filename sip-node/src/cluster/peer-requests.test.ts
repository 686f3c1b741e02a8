import { expect, it } from "vitest";
import { createSeal } from "../auth/create-seal.ts";
import { decodeFrame } from "./frame.ts";
import type { Peer } from "./membership.ts";
import { PeerRequests } from "./peer-requests.ts";

const seal = createSeal(
  [{ id: "k", key: Buffer.alloc(32, "a"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }],
  "relay",
  () => 1,
);
const peer: Peer = { id: "b", address: { host: "h", port: 1 }, lastReceivedAt: 0, status: "serving" };

function startPeerRequests() {
  const sent: Buffer[] = [];
  const sendToPeer = (bytes: Uint8Array) => void sent.push(Buffer.from(bytes));
  return { peerRequests: new PeerRequests("0123456789ab", { seal, sendToPeer }), sent };
}

it("a request that nothing else repeats is sent twice at most, any other once", () => {
  const { peerRequests, sent } = startPeerRequests();
  for (const kind of ["sendToPhone", "ping", "response"] as const)
    void peerRequests.request(peer, kind, Buffer.alloc(0), 1_000);
  for (let now = 1_000; now <= 1_200; now += 20) peerRequests.advance(now);
  const kinds = sent.map((bytes) => decodeFrame(bytes, seal)?.kind);
  expect(kinds).toEqual(["sendToPhone", "ping", "response", "sendToPhone"]);
});

it("an answer ends its request, silence ends it after 100 ms, and a late answer is ignored", async () => {
  const { peerRequests, sent } = startPeerRequests();
  const both = peerRequests.requestAll([peer, peer], "ping", Buffer.alloc(0), 1_000);
  const numbers = sent.map((bytes) => decodeFrame(bytes, seal)?.number ?? -1);
  expect(new Set(numbers).size).toBe(2);
  peerRequests.receiveAnswer("c", numbers[0] ?? 0, [9]); // from another node: ignored
  peerRequests.receiveAnswer("b", numbers[0] ?? 0, [7]);
  peerRequests.advance(1_099);
  peerRequests.advance(1_100);
  peerRequests.receiveAnswer("b", numbers[1] ?? 0, [8]);
  expect(await both).toEqual([[7], undefined]);
});
