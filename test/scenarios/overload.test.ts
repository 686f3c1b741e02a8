/** A node without idle time (design-sip rule 24): new calls go to a peer with room, then get 503. Calls that exist are not affected. */
import { expect, it } from "vitest";
import type { Exchange } from "../support/exchange.ts";
import { registerPhones, useExchange } from "../support/scenario.ts";
import { header, writeSip } from "../support/sip-text.ts";
import type { VirtualPhone } from "../support/virtual-phone.ts";

const currentExchange = useExchange("ab");

const begin = async (): Promise<[Exchange, VirtualPhone, VirtualPhone]> => {
  const exchange = currentExchange();
  const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@b")) as [VirtualPhone, VirtualPhone];
  return [exchange, alice, bob];
};

const overload = (exchange: Exchange, letter: string): void => {
  exchange.node(letter).overload.load.level = "overloaded";
};
const accepted = (exchange: Exchange, letter: string) => exchange.node(letter).cluster.relays;

it("a call to an overloaded node is served by its peer, also its CANCEL, its ACK and its BYE", async () => {
  const [exchange, alice, bob] = await begin();
  overload(exchange, "a");
  const call = alice.call("bob");
  await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true);
  expect([call.status, accepted(exchange, "a").given, accepted(exchange, "b").taken]).toEqual([200, 2, 2]);
  const bye = alice.within(alice.dialogs[0]!, "BYE");
  await exchange.net.until("hung up", () => bye.status === 200, 500);
  bob.answering = (incoming) => incoming.reply(180);
  const second = alice.call("bob");
  await exchange.net.until("it rings", () => second.isRinging);
  second.cancel();
  await exchange.net.until("cancelled", () => second.status === 487);
  expect(bob.incomingCalls).toHaveLength(2);
});

it("an INVITE that is retransmitted after the overload is not served twice", async () => {
  const [exchange, alice, bob] = await begin();
  overload(exchange, "a");
  exchange.net.lose(({ to, text }) => to === alice.place && text.startsWith("SIP/2.0 100"), 2);
  bob.answering = (incoming) => void exchange.net.after(2_000, () => incoming.reply(200));
  const call = alice.call("bob");
  await exchange.net.pass(300);
  exchange.node("a").overload.load.level = "normal";
  await exchange.net.until("the call is up", () => call.status === 200);
  expect(bob.incomingCalls).toHaveLength(1);
});

it("when every node is overloaded, a phone gets 503 with a Retry-After of 2 to 9 s, and a stranger no answer", async () => {
  const [exchange, alice, bob] = await begin();
  for (const letter of "ab") overload(exchange, letter);
  const calls = Array.from({ length: 20 }, () => alice.call("bob"));
  await exchange.net.until("refused", () => calls.every(({ status }) => status === 503));
  const waits = calls.map(({ final }) => Number(header(final!, "retry-after")));
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(2);
  expect(Math.max(...waits)).toBeLessThanOrEqual(9);
  expect(new Set(waits).size).toBeGreaterThan(2);
  expect(bob.incomingCalls).toHaveLength(0);
  const invite = writeSip("INVITE sip:bob@example.com SIP/2.0", [
    ["Via", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK-1"],
    ["From", "<sip:x@example.com>;tag=1"],
    ["To", "<sip:bob@example.com>"],
    ["Call-ID", "1"],
    ["CSeq", "1 INVITE"],
  ]);
  exchange.forge("a", invite, "192.0.2.9:5060");
  await exchange.net.pass(200);
  expect(exchange.net.sent.filter(({ to }) => to === "192.0.2.9:5060")).toEqual([]);
  expect(exchange.node("a").overload.dropped["overload"]).toBe(1);
});

it("calls that exist go on in an overloaded exchange, and phones register", async () => {
  const [exchange, alice, bob] = await begin();
  const call = alice.call("bob");
  await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true);
  for (const letter of "ab") overload(exchange, letter);
  const reinvite = bob.within(bob.incomingCalls[0]!.dialog!, "INVITE");
  await exchange.net.until("held", () => reinvite.status === 200, 500);
  const bye = alice.within(alice.dialogs[0]!, "BYE");
  const again = bob.register();
  await exchange.net.until("hung up and registered", () => bye.status === 200 && again.status === 200, 500);
  expect(call.status).toBe(200);
});
