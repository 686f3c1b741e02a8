/**
 * A flood of datagrams with more forged sources than a node remembers flows (design-sip, "Words", P6). The nodes do not forget the flows of
 * phones, and calls to phones do not wait for a datagram.
 */
import { expect, it } from "vitest";
import type { Exchange } from "../support/exchange.ts";
import { registerPhones, useExchange } from "../support/scenario.ts";
import { writeSip } from "../support/sip-text.ts";
import type { VirtualPhone } from "../support/virtual-phone.ts";

const maxFlows = 64;
const currentExchange = useExchange("ab", maxFlows);
/** In milliseconds. A queued message would wait for the phone's next datagram, which these phones never send. */
const immediately = 500;

const forged = {
  "valid requests": (source: string) =>
    writeSip("OPTIONS sip:example.com SIP/2.0", [
      ["Via", `SIP/2.0/UDP ${source};branch=z9hG4bK-${source};rport`],
      ["From", "<sip:x@example.org>;tag=1"],
      ["To", "<sip:example.com>"],
      ["Call-ID", source],
      ["CSeq", "1 OPTIONS"],
    ]),
  keepalives: () => "\r\n\r\n",
  garbage: () => "\x00\x01 not a message",
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
  const exchange = currentExchange();
  const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@b")) as [VirtualPhone, VirtualPhone];
  return [exchange, alice, bob];
};

it.each(kinds)(
  "%s: a registered phone rings at once, for calls through its own and another node",
  async (kind) => {
    const [exchange, alice, bob] = await begin();
    for (const letter of "ab") await flood(exchange, letter, kind);
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging, immediately);
    await exchange.net.until("the call is up", () => call.status === 200, immediately);
    const back = bob.call("alice");
    await exchange.net.until("it rings", () => back.isRinging, immediately);
    expect(exchange.node("b").cluster.flows.size).toBeLessThanOrEqual(maxFlows);
  },
);

it.each(kinds)("%s: a BYE in an established call arrives at once", async (kind) => {
  const [exchange, alice, bob] = await begin();
  const call = alice.call("bob");
  await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true);
  for (const letter of "ab") await flood(exchange, letter, kind);
  const bye = bob.within(bob.incomingCalls[0]!.dialog!, "BYE");
  await exchange.net.until("hung up", () => bye.status === 200, immediately);
  expect([call.status, alice.requests.length]).toEqual([200, 1]);
});

it.each(kinds)(
  "%s: a phone whose flow moved, and that sent only a keepalive since, rings at once",
  async (kind) => {
    const [exchange, alice, bob] = await begin();
    exchange.move(bob, "a");
    bob.keepAlive();
    await exchange.net.pass(200);
    for (const letter of "ab") await flood(exchange, letter, kind);
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging, immediately);
  },
);

it("a flow is authenticated as long as its binding lasts, and for an hour for a caller without a binding", async () => {
  const [exchange, alice, bob] = await begin();
  const authenticatedFor = (letter: string, { place }: VirtualPhone) =>
    (exchange.node(letter).cluster.flows.get(`udp:${place}`)?.authenticatedUntil ?? 0) - exchange.net.now;
  const granted = 120_000; // behind NAT
  expect(granted - authenticatedFor("b", bob)).toBeLessThan(500);
  expect(granted - authenticatedFor("a", alice)).toBeLessThan(500);
  const carol = exchange.phone({ username: "carol", on: "a" });
  const call = carol.call("bob");
  await exchange.net.until("the call is up", () => call.status === 200);
  expect(3_600_000 - authenticatedFor("a", carol)).toBeLessThan(500);
});
