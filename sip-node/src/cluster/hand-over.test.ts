import { expect, it } from "vitest";
import { createSeal } from "../auth/create-seal.ts";
import { flowOf } from "../wire/flow.ts";
import { accepted, decodeFrame } from "./frame.ts";
import { HandOver } from "./hand-over.ts";
import { Membership } from "./membership.ts";
import { PeerRequests } from "./peer-requests.ts";

const seal = createSeal(
  [{ id: "k", key: Buffer.alloc(32, "a"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }],
  "relay",
  () => 1,
);
const flow = flowOf("192.0.2.1", 5060);

it("remembers a limited number of outcomes, and forgets the least recently used one first", async () => {
  const membership = new Membership();
  membership.recordFrame("b", { host: "h", port: 1 }, 0);
  const peerRequests = new PeerRequests("0123456789ab", {
    seal,
    sendToPeer: (bytes) => {
      const { number = 0 } = decodeFrame(Buffer.from(bytes), seal) ?? {};
      queueMicrotask(() => peerRequests.receiveAnswer("b", number, [accepted]));
    },
  });
  const handOver = new HandOver({ membership, peerRequests, now: () => 0 }, 2);
  for (const key of ["1", "2", "1", "3"])
    handOver.start({ key, datagram: "x", flow, isHeld: undefined, serve: () => {} });
  const follows = (key: string) => handOver.follow(key, "x", flow);
  expect(await Promise.all(["1", "2", "3"].map(follows))).toEqual([true, false, true]);
});
