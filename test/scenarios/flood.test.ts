/**
 * A stranger sends more datagrams with forged sources than nodes remember flows (design-sip, "Words", P6): the phones of the exchange stay
 * where they are known, and calls to them do not wait for their next datagram.
 */
import { expect, it } from "vitest";
import type { Exchange } from "../support/exchange.ts";
import { registerPhones, useExchange } from "../support/scenario.ts";
import { writeSip } from "../support/sip-text.ts";
import type { VirtualPhone } from "../support/virtual-phone.ts";

const maxFlows = 64;
const scene = useExchange("ab", maxFlows);
/** A phone that is parked for waits for its next datagram, which these phones never send. */
const atOnce = 500;

const forged = {
  "legible requests": (source: string) =>
    writeSip("OPTIONS sip:example.com SIP/2.0", [
      ["Via", `SIP/2.0/UDP ${source};branch=z9hG4bK-${source};rport`],
      ["From", "<sip:x@example.org>;tag=1"],
      ["To", "<sip:example.com>"],
      ["Call-ID", source],
      ["CSeq", "1 OPTIONS"],
    ]),
  keepalives: () => "\r\n\r\n",
  garbage: () => "\x00\x01 no message at all",
} as const;
type Kind = keyof typeof forged;
const kinds = Object.keys(forged) as Kind[];

async function flood(exchange: Exchange, letter: string, kind: Kind): Promise<void> {
  for (let i = 0; i < 5 * maxFlows; i++) {
    const source = `192.0.2.${i % 250}:${1_000 + i}`;
    exchange.forge(letter, forged[kind](source), source);
    if (i % maxFlows === 0) await exchange.net.pass(10);
  }
  await exchange.net.pass(200);
}

const begin = async (): Promise<[Exchange, VirtualPhone, VirtualPhone]> => {
  const exchange = scene();
  const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@b")) as [VirtualPhone, VirtualPhone];
  return [exchange, alice, bob];
};

it.each(kinds)(
  "%s: a phone that registered rings at once, at its node and from another one",
  async (kind) => {
    const [exchange, alice, bob] = await begin();
    for (const letter of "ab") await flood(exchange, letter, kind);
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging, atOnce);
    await exchange.net.until("the call is up", () => call.status === 200, atOnce);
    const back = bob.call("alice");
    await exchange.net.until("it rings", () => back.isRinging, atOnce);
    expect(exchange.node("b").cluster.flows.size).toBeLessThanOrEqual(maxFlows);
  },
);

it.each(kinds)("%s: in a call, the other phone's BYE comes at once", async (kind) => {
  const [exchange, alice, bob] = await begin();
  const call = alice.call("bob");
  await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true);
  for (const letter of "ab") await flood(exchange, letter, kind);
  const bye = bob.within(bob.incomingCalls[0]!.dialog!, "BYE");
  await exchange.net.until("hung up", () => bye.status === 200, atOnce);
  expect([call.status, alice.requests.length]).toEqual([200, 1]);
});

it.each(kinds)(
  "%s: a phone whose flow moved, and that has said no more than a keepalive since",
  async (kind) => {
    const [exchange, alice, bob] = await begin();
    exchange.move(bob, "a");
    bob.keepAlive();
    await exchange.net.pass(200);
    for (const letter of "ab") await flood(exchange, letter, kind);
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging, atOnce);
  },
);

it("a phone is known for as long as its binding lasts, a caller without one for an hour", async () => {
  const [exchange, alice, bob] = await begin();
  const knownFor = (letter: string, { place }: VirtualPhone) =>
    (exchange.node(letter).cluster.flows.get(`udp:${place}`)?.authenticatedUntil ?? 0) - exchange.net.now;
  const granted = 120_000; // behind NAT
  expect(granted - knownFor("b", bob)).toBeLessThan(500);
  expect(granted - knownFor("a", alice)).toBeLessThan(500);
  const carol = exchange.phone({ username: "carol", on: "a" });
  const call = carol.call("bob");
  await exchange.net.until("the call is up", () => call.status === 200);
  expect(3_600_000 - knownFor("a", carol)).toBeLessThan(500);
});
