/** A node is killed (P4). Only its transactions may fail, and a 2xx is forwarded even then (design-sip rules 3 and 7). */
import { beforeEach, describe, expect, it } from "vitest";
import type { Exchange } from "../support/exchange.ts";
import { registerPhones, useExchange } from "../support/scenario.ts";
import { ring, type VirtualPhone } from "../support/virtual-phone.ts";

const currentExchange = useExchange("ab");
let exchange: Exchange;
let alice: VirtualPhone;
let bob: VirtualPhone;
/** The time until the peers count it as dead. */
const deathDelay = 4_000;
beforeEach(async () => {
  exchange = currentExchange();
  [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@b")) as [VirtualPhone, VirtualPhone];
});

describe("the node of a ringing call dies", () => {
  beforeEach(() => {
    bob.answering = ring;
  });

  it("the callee's 2xx reaches the caller through the other node after the caller's next datagram", async () => {
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    exchange.kill("a");
    bob.incomingCalls[0]!.reply(200);
    await exchange.net.pass(deathDelay);
    expect(call.status).toBe(0);
    alice.keepAlive();
    await exchange.net.until("the call is up", () => bob.incomingCalls[0]!.isAcknowledged);
    expect(call.status).toBe(200);
    const bye = bob.within(bob.incomingCalls[0]!.dialog!, "BYE");
    await exchange.net.until("hung up", () => bye.status > 0);
    expect([bye.status, alice.requests.length]).toEqual([200, 1]);
  });

  it("a caller without NAT whose flow has moved to the other node gets the 2xx at once", async () => {
    const carol = exchange.phone({ username: "carol", on: "a", isBehindNat: false });
    const call = carol.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    exchange.kill("a");
    carol.keepAlive(); // to b, because a is dead
    await exchange.net.pass(deathDelay);
    bob.incomingCalls[0]!.reply(200);
    await exchange.net.pass(100);
    expect([call.status, bob.incomingCalls[0]!.isAcknowledged]).toEqual([200, true]);
  });

  it("a refusal is dropped, and the caller's CANCEL gets 481", async () => {
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    exchange.kill("a");
    await exchange.net.pass(deathDelay);
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
  it.each(["a", "b"])("each phone can end the call through the other node (node %s)", async (letter) => {
    for (const who of ["alice", "bob"]) {
      const call = alice.call("bob");
      await exchange.net.until("the call is up", () => bob.incomingCalls.at(-1)?.isAcknowledged === true);
      const incoming = bob.incomingCalls.at(-1)!;
      if (exchange.node(letter).isAlive) exchange.kill(letter);
      await exchange.net.pass(deathDelay);
      const [phone, other, dialog] =
        who === "alice" ? [alice, bob, call.dialog] : [bob, alice, incoming.dialog!];
      const bye = phone.within(dialog, "BYE");
      await exchange.net.pass(3_000);
      other.keepAlive();
      await exchange.net.until("hung up", () => bye.status > 0);
      expect([who, bye.status, other.requests.length]).toEqual([who, 200, 1]);
    }
  });

  it("and a new node starts: it forwards the BYE of a call that began before it", async () => {
    const call = alice.call("bob");
    await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true);
    exchange.start("c");
    await exchange.net.pass(1_500);
    exchange.kill("a");
    exchange.kill("b");
    await exchange.net.pass(deathDelay);
    bob.keepAlive();
    const bye = alice.within(call.dialog, "BYE");
    await exchange.net.until("hung up", () => bye.status > 0);
    expect(bye.status).toBe(200);
  });
});

describe("a call to a phone behind NAT whose flow has no live owner (rule 7)", () => {
  beforeEach(async () => {
    exchange.kill("b");
    await exchange.net.pass(deathDelay);
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

  it("is cancelled while it waits: 487 when its time is over, and no phone rings", async () => {
    const call = alice.call("bob");
    await exchange.net.pass(5_000);
    const cancel = call.cancel();
    await exchange.net.pass(35_000);
    expect([cancel.status, call.status, bob.incomingCalls.length]).toEqual([200, 487, 0]);
  });

  it("is cancelled while it waits, and the phone sends a datagram: the phone is cancelled at once (§9.1)", async () => {
    const call = alice.call("bob");
    bob.answering = ring;
    await exchange.net.pass(5_000);
    call.cancel();
    bob.keepAlive();
    await exchange.net.pass(100);
    expect([call.status, bob.incomingCalls[0]!.status]).toEqual([487, 487]);
  });
});

it("a call to a phone without NAT is sent to it directly", async () => {
  const carol = exchange.phone({ username: "carol", on: "b", isBehindNat: false });
  const registration = carol.register();
  await exchange.net.until("registered", () => registration.status === 200);
  exchange.kill("b");
  await exchange.net.pass(deathDelay);
  const call = alice.call("carol");
  await exchange.net.until("the call is up", () => carol.incomingCalls[0]?.isAcknowledged === true);
  expect([call.status, carol.incomingCalls.length]).toEqual([200, 1]);
  expect(carol.unexpected.splice(0).length).toBeGreaterThan(0);
});
