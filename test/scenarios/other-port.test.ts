/** A phone without NAT that sends from one port and listens on another (RFC 3261 §10.3, ADR 32). */
import { expect, it } from "vitest";
import { registerPhones, useExchange } from "../support/scenario.ts";
import type { Datagram } from "../support/virtual-net.ts";

const currentExchange = useExchange();
const listens = "198.51.100.2:5070";

it.each([
  ["its Via names its source: it is called at its Contact", false, [1, 0]],
  [
    "its Via names another port than its source, as with STUN behind a symmetric NAT: it is called at its source",
    true,
    [0, 1],
  ],
] as const)("%s", async (_, isTranslated, expected) => {
  const exchange = currentExchange();
  const [alice] = await registerPhones(exchange, "alice@a");
  const bob = exchange.phone({ username: "bob", on: "b", isBehindNat: false, place: "198.51.100.2:40000" });
  const atContact: Datagram[] = [];
  exchange.net.attach(listens, (datagram) => void atContact.push(datagram));
  const send = bob.send.bind(bob);
  if (isTranslated) bob.send = (text) => send(text.replace("UDP 198.51.100.2:40000", `UDP ${listens}`));
  const registration = bob.register(`<sip:bob@${listens}>`);
  await exchange.net.until("registered", () => registration.status === 200);
  const call = alice!.call("bob");
  await exchange.net.pass(400);
  const invites = atContact.filter(({ text }) => text.startsWith("INVITE "));
  expect([invites.length, bob.incomingCalls.length]).toEqual(expected);
  call.cancel();
});

it("does not release the flow in its Contact, which is another phone's behind the same address", async () => {
  const exchange = currentExchange();
  const [alice] = await registerPhones(exchange, "alice@a");
  const carol = exchange.phone({ username: "carol", on: "b", place: "198.51.100.2:30000" });
  const bob = exchange.phone({ username: "bob", on: "b", isBehindNat: false, place: "198.51.100.2:40000" });
  const instance = '+sip.instance="<urn:uuid:00000000-0000-4000-8000-000000000008>"';
  for (const [phone, contact] of [
    [carol, undefined],
    [bob, `<sip:bob@${carol.place}>;${instance}`],
    [bob, `<sip:bob@${listens}>;${instance}`],
  ] as const) {
    const registration = phone.register(contact);
    await exchange.net.until("registered", () => registration.status === 200);
  }
  alice!.call("carol");
  await exchange.net.pass(400);
  expect(carol.incomingCalls.length).toBe(1);
});
