/**
 * A phone's flow moves to another node, as after a join, a drain or a restart of kube-proxy (design-sip rules 3 to 5). No phone rings twice,
 * and every response reaches its phone.
 */
import { beforeEach, describe, expect, it } from "vitest";
import { frameKinds } from "../../sip-node/src/cluster/frame.ts";
import type { Exchange } from "../support/exchange.ts";
import { registerPhones, useExchange } from "../support/scenario.ts";
import { refuse, ring, stayOffline, type VirtualPhone } from "../support/virtual-phone.ts";

const currentExchange = useExchange("abc");
let exchange: Exchange;
let alice: VirtualPhone;
let bob: VirtualPhone;
beforeEach(async () => {
  exchange = currentExchange();
  [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@b")) as [VirtualPhone, VirtualPhone];
});

const hasReceived = (letter: string, start: string) =>
  exchange.net.sent.some(({ to, text }) => to === `node-${letter}:7000` && text.includes(start));

describe("an INVITE that is retransmitted to another node", () => {
  it("does not ring twice while the phone rings", async () => {
    bob.answering = ring;
    exchange.net.lose(({ to, text }) => to === alice.place && / 1[08]0 /.test(text.slice(0, 12)), 2);
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => bob.incomingCalls.length === 1);
    exchange.move(alice, "c");
    await exchange.net.pass(1_000);
    expect(hasReceived("a", "INVITE sip:bob@example.com")).toBe(true); // offered by c
    bob.incomingCalls[0]!.reply(200);
    await exchange.net.pass(1_000);
    expect([bob.incomingCalls.length, bob.incomingCalls[0]!.isAcknowledged]).toEqual([1, true]);
    expect(call.statuses).toEqual([180, 200]); // the 180 is the response to the retransmission
  });

  it("does not ring twice while the first node waits for the database", async () => {
    exchange.databaseTakes = 400;
    const call = alice.call("bob");
    await exchange.net.until("it is challenged", () =>
      call.request.headers.some(([name]) => name === "Proxy-Authorization"),
    ); // prettier-ignore
    await exchange.net.pass(100);
    exchange.move(alice, "c");
    await exchange.net.pass(5_000);
    expect([call.status, bob.incomingCalls.length, bob.incomingCalls[0]!.isAcknowledged]).toEqual([
      200,
      1,
      true,
    ]);
  });

  it("does not ring twice when both copies arrive within a millisecond", async () => {
    exchange.net.rules.push(({ from, text }) => {
      if (from !== alice.place || !text.startsWith("INVITE ")) return undefined;
      exchange.net.after(5, () => exchange.move(alice, "c"));
      return [0, 0.5];
    });
    const call = alice.call("bob");
    await exchange.net.pass(5_000);
    expect([call.status, bob.incomingCalls.length]).toEqual([200, 1]);
  });
});

it("a retransmitted INVITE and its CANCEL arrive together at another node: 487, and the ringing ends", async () => {
  bob.answering = ring;
  exchange.net.lose(({ to, text }) => to === alice.place && / 1[08]0 /.test(text.slice(0, 12)), 2);
  const call = alice.call("bob");
  await exchange.net.until("it rings", () => bob.incomingCalls.length === 1);
  exchange.move(alice, "c");
  exchange.net.rules.push(({ from, text }) => {
    if (from === alice.place && text.startsWith("INVITE ")) exchange.net.after(0.2, () => call.cancel());
    return undefined;
  });
  await exchange.net.pass(2_000);
  expect([call.status, bob.incomingCalls.length, bob.incomingCalls[0]!.status]).toEqual([487, 1, 487]);
});

it("a BYE that is retransmitted to another node reaches the other phone once", async () => {
  const call = alice.call("bob");
  await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true);
  exchange.net.lose(({ to, text }) => to === alice.place && text.startsWith("SIP/2.0 200"));
  const bye = alice.within(call.dialog, "BYE");
  await exchange.net.pass(100);
  exchange.move(alice, "c");
  await exchange.net.until("the call is ended", () => bye.status > 0);
  expect([bye.status, bob.requests.length]).toEqual([200, 1]);
});

describe("a ringing call whose caller's flow moves", () => {
  it("a CANCEL cancels the call: 200, and 487 for both", async () => {
    bob.answering = ring;
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    exchange.move(alice, "c");
    const cancel = call.cancel();
    await exchange.net.pass(1_000);
    expect([cancel.status, call.status, bob.incomingCalls[0]!.status]).toEqual([200, 487, 487]);
    expect(bob.incomingCalls[0]!.isAcknowledged).toBe(true);
  });

  it("a CANCEL without an INVITE on any node gets 481", async () => {
    const call = alice.call("bob");
    await exchange.net.until("answered", () => call.status > 0);
    await exchange.net.pass(40_000); // its transaction is over
    const cancel = call.cancel();
    await exchange.net.pass(1_000);
    expect(cancel.status).toBe(481);
  });

  it("the ACK to its 486 ends the retransmission", async () => {
    bob.answering = refuse(486);
    exchange.net.rules.push(({ to, text }) => {
      if (to === alice.place && text.startsWith("SIP/2.0 486 ")) exchange.move(alice, "c");
      return undefined;
    });
    const call = alice.call("bob");
    await exchange.net.pass(10_000);
    expect(call.statuses).toEqual([100, 486]);
  });

  it("the response goes through the new owner of the caller's flow", async () => {
    bob.answering = ring;
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    exchange.move(alice, "c");
    alice.keepAlive();
    await exchange.net.pass(100);
    bob.incomingCalls[0]!.reply(200);
    await exchange.net.pass(1_000);
    expect([call.statuses, bob.incomingCalls[0]!.isAcknowledged]).toEqual([[100, 180, 200], true]);
  });
});

describe("a ringing call whose callee's flow moves", () => {
  it.each([200, 486])("its %i reaches the node of the transaction", async (code) => {
    bob.answering = ring;
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    exchange.move(bob, "c");
    bob.incomingCalls[0]!.reply(code);
    await exchange.net.pass(1_000);
    expect([call.statuses, bob.incomingCalls[0]!.isAcknowledged]).toEqual([[100, 180, code], true]);
  });

  it("a retransmitted INVITE to it is not a second call", async () => {
    bob.answering = stayOffline;
    const call = alice.call("bob");
    await exchange.net.pass(100);
    exchange.move(bob, "c");
    bob.keepAlive();
    await exchange.net.pass(1_000);
    expect([bob.incomingCalls.length, bob.incomingCalls[0]!.repeats]).toEqual([1, 1]);
    bob.incomingCalls[0]!.reply(603);
    await exchange.net.pass(1_000);
    expect(call.status).toBe(603);
  });
});

describe("a node that joins during a call", () => {
  it.each(["alice", "bob"])("serves the call's next requests, for %s", async (who) => {
    const call = alice.call("bob");
    await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true);
    exchange.start("d");
    await exchange.net.pass(1_500);
    for (const phone of [alice, bob]) exchange.move(phone, "d");
    const [phone, dialog] = who === "alice" ? [alice, call.dialog] : [bob, bob.incomingCalls[0]!.dialog!];
    const change = phone.within(dialog, "INVITE");
    await exchange.net.until("changed", () => change.status > 0);
    const bye = phone.within(dialog, "BYE");
    await exchange.net.until("hung up", () => bye.status > 0);
    expect([change.status, bye.status]).toEqual([200, 200]);
  });
});

it("a node that joins reaches a phone that has moved since its row was written (rule 6)", async () => {
  exchange.move(bob, "a");
  bob.keepAlive();
  await exchange.net.pass(100);
  exchange.start("d");
  await exchange.net.pass(1_500);
  exchange.move(alice, "d");
  const call = alice.call("bob");
  await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true);
  expect([call.statuses, bob.incomingCalls[0]!.repeats]).toEqual([[100, 180, 200], 0]);
});

describe("a phone that registered from another port during the call", () => {
  it.each(["alice", "bob"])("is reached by its binding: %s", async (who) => {
    const call = alice.call("bob");
    await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true);
    const [mover, other, dialog] =
      who === "bob" ? [bob, alice, call.dialog] : [alice, bob, bob.incomingCalls[0]!.dialog!];
    mover.changePlace(mover.place.replace(/:\d+$/, ":40000"));
    exchange.move(mover, "c");
    const registration = mover.register();
    await exchange.net.until("registered", () => registration.status === 200);
    const bye = other.within(dialog, "BYE");
    await exchange.net.until("hung up", () => bye.status > 0);
    expect([bye.status, mover.requests.length]).toEqual([200, 1]);
  });
});

describe("a datagram between nodes is lost: the frame is sent again", () => {
  const lose = (kind: keyof typeof frameKinds) =>
    exchange.net.lose(({ to, bytes }) => to === "node-a:7000" && bytes[0] === frameKinds[kind]);

  it("announceFlows: the former owner stops sending to the phone", async () => {
    const call = alice.call("bob");
    await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true);
    exchange.move(alice, "c");
    lose("announceFlows");
    alice.keepAlive();
    await exchange.net.pass(200);
    const bye = bob.within(bob.incomingCalls[0]!.dialog!, "BYE");
    exchange.move(bob, "a");
    await exchange.net.until("hung up", () => bye.status > 0);
    expect([call.status, bye.status, alice.requests.length]).toEqual([200, 200, 1]);
  });

  it("offer: the CANCEL reaches its INVITE", async () => {
    bob.answering = ring;
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    exchange.move(alice, "c");
    lose("offer");
    const cancel = call.cancel();
    await exchange.net.pass(1_000);
    expect([cancel.status, call.status]).toEqual([200, 487]);
  });

  it("releaseFlows: no request is sent to the former flow", async () => {
    const call = alice.call("bob");
    await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true);
    lose("releaseFlows");
    bob.changePlace("198.51.100.2:40000");
    exchange.move(bob, "b");
    const registration = bob.register();
    await exchange.net.until("registered", () => registration.status === 200);
    await exchange.net.pass(200);
    const bye = alice.within(call.dialog, "BYE");
    await exchange.net.until("hung up", () => bye.status > 0);
    expect([bye.status, bob.requests.length]).toEqual([200, 1]);
  });
});
