/**
 * Phones whose requests violate RFC 3261 §8.1.1.7 and §9.1: another sent-by in CANCEL and ACK (a phone with several interfaces), an old CSeq
 * number in CANCEL, and one branch for all requests. Every node handles them (design-sip rules 4 and 21).
 */
import { describe, expect, it } from "vitest";
import type { Exchange } from "../support/exchange.ts";
import { registerPhones, useExchange } from "../support/scenario.ts";
import { header, type SipText } from "../support/sip-text.ts";
import { refuse, ring, type VirtualPhone } from "../support/virtual-phone.ts";

const currentExchange = useExchange("abc");

/** The change of the caller's flow between two messages. */
const events: readonly (readonly [string, (exchange: Exchange, alice: VirtualPhone) => void])[] = [
  ["stays on the node", () => {}],
  ["moves to another node", (exchange, alice) => exchange.move(alice, "c")],
  ["stays on a draining node", (exchange) => exchange.drain("a", "stay")],
  ["leaves a draining node", (exchange) => exchange.drain("a", "move")],
];

const begin = async (): Promise<[Exchange, VirtualPhone, VirtualPhone]> => {
  const exchange = currentExchange();
  const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@b")) as [VirtualPhone, VirtualPhone];
  return [exchange, alice, bob];
};
const withOtherSentBy = (text: string): string =>
  /^(CANCEL|ACK) /.test(text) ? text.replace(/^(Via: \S+ )[^;]+/m, "$110.77.0.1:5080") : text;
const callIdOf = (message: SipText | undefined): string =>
  message === undefined ? "" : header(message, "call-id");

describe.each(events)("the caller's flow %s", (_, happens) => {
  it("a CANCEL with another sent-by cancels the call: 200, and 487 for both", async () => {
    const [exchange, alice, bob] = await begin();
    bob.answering = ring;
    alice.rewrite = withOtherSentBy;
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    happens(exchange, alice);
    const cancel = call.cancel();
    await exchange.net.pass(1_000);
    expect([cancel.status, call.status, bob.incomingCalls[0]!.status]).toEqual([200, 487, 487]);
  });

  it("a CANCEL with the CSeq number of the challenged INVITE cancels the INVITE with its branch", async () => {
    const [exchange, alice, bob] = await begin();
    bob.answering = ring;
    alice.rewrite = (text) => text.replace(/^CSeq: 2 CANCEL/m, "CSeq: 1 CANCEL");
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    happens(exchange, alice);
    const cancel = call.cancel();
    await exchange.net.pass(1_000);
    expect([cancel.status, call.status, bob.incomingCalls[0]!.status]).toEqual([200, 487, 487]);
  });

  it("an ACK with another sent-by ends the retransmission of a failure", async () => {
    const [exchange, alice, bob] = await begin();
    bob.answering = ring;
    alice.rewrite = withOtherSentBy;
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    happens(exchange, alice);
    bob.incomingCalls[0]!.reply(486);
    await exchange.net.pass(10_000);
    expect(call.statuses).toEqual([100, 180, 486]);
  });

  it("requests with the branch of an earlier request each get their own response", async () => {
    const [exchange, alice, bob] = await begin();
    alice.fixedBranch = "always";
    const first = alice.message("bob", "one");
    await exchange.net.until("answered", () => first.status > 0);
    happens(exchange, alice);
    const second = alice.message("bob", "two");
    await exchange.net.until("answered", () => second.status > 0);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(bob.requests.map(({ body }) => body)).toEqual(["one", "two"]);
    expect([first, second].map(({ final }) => callIdOf(final))).toEqual(bob.requests.map(callIdOf));
  });

  it("calls with the same branch are refused and cancelled separately", async () => {
    const [exchange, alice, bob] = await begin();
    alice.fixedBranch = "always";
    bob.answering = refuse(486);
    const first = alice.call("bob");
    await exchange.net.until("refused", () => first.status > 0);
    happens(exchange, alice);
    bob.answering = ring;
    const second = alice.call("bob");
    await exchange.net.until("it rings", () => bob.incomingCalls.length === 2, 1_000);
    const cancel = second.cancel();
    await exchange.net.pass(1_000);
    expect([first.status, cancel.status, second.status]).toEqual([486, 200, 487]);
    expect(bob.incomingCalls.map(({ status, isAcknowledged }) => [status, isAcknowledged])).toEqual([
      [486, true],
      [487, true],
    ]);
  });
});
