/** A node is killed (P4): only transactions in flight on it may suffer, and a 2xx not even then (design-sip rules 3 and 7). */
import { beforeEach, describe, expect, it } from "vitest";
import type { Exchange } from "../support/exchange.ts";
import { registerPhones, useExchange } from "../support/scenario.ts";
import { ring, type VirtualPhone } from "../support/virtual-phone.ts";

const scene = useExchange("ab");
let exchange: Exchange;
let alice: VirtualPhone;
let bob: VirtualPhone;
/** Until the others call it dead. */
const death = 4_000;
beforeEach(async () => {
  exchange = scene();
  [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@b")) as [VirtualPhone, VirtualPhone];
});

describe("the node of a ringing call dies", () => {
  beforeEach(() => {
    bob.answering = ring;
  });

  it("the callee's 2xx reaches the caller through the other node once that hears it; the call stands", async () => {
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    exchange.kill("a");
    bob.incomingCalls[0]!.reply(200);
    await exchange.net.pass(death);
    expect(call.status).toBe(0);
    alice.keepAlive();
    await exchange.net.until("the call is up", () => bob.incomingCalls[0]!.isAcknowledged);
    expect(call.status).toBe(200);
    const bye = bob.within(bob.incomingCalls[0]!.dialog!, "BYE");
    await exchange.net.until("hung up", () => bye.status > 0);
    expect([bye.status, alice.requests.length]).toEqual([200, 1]);
  });

  it("a caller without NAT gets the 2xx at once, and one that was heard by the other node too", async () => {
    const carol = exchange.phone({ username: "carol", on: "a", isBehindNat: false });
    const call = carol.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    exchange.kill("a");
    carol.keepAlive(); // to b, because a hears nothing any more
    await exchange.net.pass(death);
    bob.incomingCalls[0]!.reply(200);
    await exchange.net.pass(100);
    expect([call.status, bob.incomingCalls[0]!.isAcknowledged]).toEqual([200, true]);
  });

  it("a refusal is dropped, and the caller's CANCEL gets 481", async () => {
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    exchange.kill("a");
    await exchange.net.pass(death);
    const cancel = call.cancel();
    bob.incomingCalls[0]!.reply(486);
    await exchange.net.pass(1_000);
    expect([cancel.status, call.status]).toEqual([481, 0]);
  });
});

it("an INVITE that the dead node never answered is served by the other one", async () => {
  exchange.net.rules.push(({ from, text }) => {
    if (from === alice.place && text.includes("Proxy-Authorization")) exchange.kill("a");
    return undefined;
  });
  const call = alice.call("bob");
  await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true);
  expect([call.status, bob.incomingCalls.length]).toEqual([200, 1]);
});

describe("a node dies during an established call", () => {
  it.each(["a", "b"])("either phone hangs up through the other one (node %s)", async (letter) => {
    for (const who of ["alice", "bob"]) {
      const call = alice.call("bob");
      await exchange.net.until("the call is up", () => bob.incomingCalls.at(-1)?.isAcknowledged === true);
      const heard = bob.incomingCalls.at(-1)!;
      if (exchange.node(letter).isAlive) exchange.kill(letter);
      await exchange.net.pass(death);
      const [phone, other, dialog] =
        who === "alice" ? [alice, bob, call.dialog] : [bob, alice, heard.dialog!];
      const bye = phone.within(dialog, "BYE");
      await exchange.net.pass(3_000);
      other.keepAlive();
      await exchange.net.until("hung up", () => bye.status > 0);
      expect([who, bye.status, other.requests.length]).toEqual([who, 200, 1]);
    }
  });

  it("and another one starts: it hangs up a call that it has never heard of", async () => {
    const call = alice.call("bob");
    await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true);
    exchange.start("c");
    await exchange.net.pass(1_500);
    exchange.kill("a");
    exchange.kill("b");
    await exchange.net.pass(death);
    bob.keepAlive();
    const bye = alice.within(call.dialog, "BYE");
    await exchange.net.until("hung up", () => bye.status > 0);
    expect(bye.status).toBe(200);
  });
});

describe("a call to a phone behind NAT that no live node hears (rule 7)", () => {
  beforeEach(async () => {
    exchange.kill("b");
    await exchange.net.pass(death);
  });

  it("waits for its next datagram, with 100 at once", async () => {
    const call = alice.call("bob");
    await exchange.net.pass(10_000);
    expect([call.statuses, bob.incomingCalls.length]).toEqual([[100], 0]);
    bob.keepAlive();
    await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true);
    expect([call.status, bob.incomingCalls.length]).toEqual([200, 1]);
  });

  it("gets 480 after 25 s", async () => {
    const call = alice.call("bob");
    await exchange.net.pass(24_000);
    expect(call.statuses).toEqual([100]);
    await exchange.net.pass(2_000);
    expect(call.statuses).toEqual([100, 480]);
  });

  it("is cancelled while it waits: 487 when its time is over, and nobody rings", async () => {
    const call = alice.call("bob");
    await exchange.net.pass(5_000);
    const cancel = call.cancel();
    await exchange.net.pass(35_000);
    expect([cancel.status, call.status, bob.incomingCalls.length]).toEqual([200, 487, 0]);
  });

  it("is cancelled while it waits, and the phone turns up: it is cancelled there at once (§9.1)", async () => {
    const call = alice.call("bob");
    bob.answering = ring;
    await exchange.net.pass(5_000);
    call.cancel();
    bob.keepAlive();
    await exchange.net.pass(100);
    expect([call.status, bob.incomingCalls[0]!.status]).toEqual([487, 487]);
  });
});

it("a call to a phone without NAT goes there directly", async () => {
  const carol = exchange.phone({ username: "carol", on: "b", isBehindNat: false });
  const registration = carol.register();
  await exchange.net.until("registered", () => registration.status === 200);
  exchange.kill("b");
  await exchange.net.pass(death);
  const call = alice.call("carol");
  await exchange.net.until("the call is up", () => carol.incomingCalls[0]?.isAcknowledged === true);
  expect([call.status, carol.incomingCalls.length]).toEqual([200, 1]);
  expect(carol.unexpected.splice(0).length).toBeGreaterThan(0);
});
