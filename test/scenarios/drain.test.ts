/**
 * A node drains during calls (design-sip rules 20 to 22, P5). Its flows stay until it exits, as with kube-proxy, or are moved at once, as by a
 * load balancer. No transaction fails and no phone rings twice.
 */
import { describe, expect, it } from "vitest";
import { frameKinds } from "../../sip-node/src/cluster/frame.ts";
import type { Exchange } from "../support/exchange.ts";
import { registerPhones, useExchange } from "../support/scenario.ts";
import { header } from "../support/sip-text.ts";
import type { OutgoingCall } from "../support/virtual-call.ts";
import { refuse, ring, type VirtualPhone } from "../support/virtual-phone.ts";

type Phones = [VirtualPhone, VirtualPhone];
/** Longer than the lifetime of a transaction after its last message. */
const transactionLifetime = 33_000;

const countHandedOver = (exchange: Exchange) =>
  [...exchange.nodes.values()]
    .map(({ cluster }) => cluster.relays)
    .reduce((sum, { taken }) => sum + taken, 0);
const isUp = (call: OutgoingCall, callee: VirtualPhone) => () =>
  call.status === 200 && callee.incomingCalls.at(-1)?.isAcknowledged === true;

async function hangUp(exchange: Exchange, call: OutgoingCall, phone: VirtualPhone): Promise<number> {
  const bye = phone.within(call.dialog, "BYE");
  await exchange.net.until("hung up", () => bye.status > 0);
  return bye.status;
}

describe.each(["stay", "move"] as const)("a node drains and its flows %s", (flows) => {
  const currentExchange = useExchange("abc");
  const begin = async (): Promise<[Exchange, ...Phones]> => {
    const exchange = currentExchange();
    const phones = (await registerPhones(exchange, "alice@a", "bob@a")) as Phones;
    return [exchange, ...phones];
  };

  it("a new call is set up, changed and ended; the node exits when the last transaction has ended", async () => {
    const [exchange, alice, bob] = await begin();
    exchange.drain("a", flows);
    const call = alice.call("bob");
    await exchange.net.until("the call is up", isUp(call, bob));
    const change = bob.within(bob.incomingCalls[0]!.dialog!, "INVITE");
    await exchange.net.until("changed", () => change.status > 0);
    expect([call.statuses, change.status, await hangUp(exchange, call, alice)]).toEqual([
      [100, 180, 200],
      200,
      200,
    ]);
    expect([bob.incomingCalls.length, bob.incomingCalls[0]!.repeats]).toEqual([1, 0]);
    expect(countHandedOver(exchange) > 0).toBe(flows === "stay");
    expect(exchange.node("a").isAlive).toBe(true);
    await exchange.net.pass(transactionLifetime);
    expect(exchange.node("a").isAlive).toBe(false);
  });

  it("a call that rings during the drain is answered and ended", async () => {
    const [exchange, alice, bob] = await begin();
    bob.answering = ring;
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    exchange.drain("a", flows);
    for (const phone of [alice, bob]) phone.keepAlive();
    await exchange.net.pass(30_000);
    expect(exchange.node("a").isAlive).toBe(true);
    bob.incomingCalls[0]!.reply(200);
    await exchange.net.until("the call is up", isUp(call, bob));
    expect([call.statuses, await hangUp(exchange, call, alice)]).toEqual([[100, 180, 200], 200]);
  });

  it.each(["before", "during"])(
    "a call that began %s the drain is cancelled: 200, and 487 for both",
    async (when) => {
      const [exchange, alice, bob] = await begin();
      bob.answering = ring;
      if (when === "during") exchange.drain("a", flows);
      const call = alice.call("bob");
      await exchange.net.until("it rings", () => call.isRinging);
      if (when === "before") exchange.drain("a", flows);
      const cancel = call.cancel();
      await exchange.net.pass(1_000);
      expect([cancel.status, call.status, bob.incomingCalls[0]!.status]).toEqual([200, 487, 487]);
      expect([bob.incomingCalls.length, bob.incomingCalls[0]!.isAcknowledged]).toEqual([1, true]);
    },
  );

  it("an INVITE, its retransmissions and its CANCEL arrive together: one INVITE reaches the phone, one response the caller", async () => {
    const [exchange, alice, bob] = await begin();
    bob.answering = ring;
    exchange.drain("a", flows);
    exchange.net.rules.push(({ from, text }) =>
      from === alice.place && text.startsWith("INVITE ") ? [0, 0.1, 3, 60, 120] : undefined,
    );
    exchange.net.lose(({ to, text }) => to === alice.place && / 1[08]0 /.test(text.slice(0, 12)), 4);
    const call = alice.call("bob");
    await exchange.net.until("it is sent on", () => bob.incomingCalls.length === 1);
    const cancel = call.cancel();
    await exchange.net.pass(3_000);
    expect([cancel.status, call.status, bob.incomingCalls.length, bob.incomingCalls[0]!.status]).toEqual([
      200, 487, 1, 487,
    ]);
  });

  it("the ACK to a failure ends the retransmission of the response", async () => {
    const [exchange, alice, bob] = await begin();
    bob.answering = refuse(486);
    exchange.drain("a", flows);
    const call = alice.call("bob");
    await exchange.net.pass(10_000);
    expect(call.statuses).toEqual([100, 486]);
  });

  it("phones register twice during a drain and stay reachable", async () => {
    const [exchange, alice, bob] = await begin();
    exchange.drain("a", flows);
    for (let round = 0; round < 2; round++) {
      const registration = bob.register();
      await exchange.net.until("registered", () => registration.status > 0);
      expect(registration.statuses).toEqual([200]);
    }
    const [message] = [alice.message("bob", "still there?")];
    await exchange.net.until("answered", () => message.status > 0);
    expect([message.status, bob.requests.length]).toEqual([200, 1]);
  });

  it("two nodes drain at the same time: the third one serves the calls of their phones", async () => {
    const exchange = currentExchange();
    const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@b")) as Phones;
    bob.answering = ring;
    const before = alice.call("bob");
    await exchange.net.until("it rings", () => before.isRinging);
    exchange.drain("a", flows);
    exchange.drain("b", flows);
    const during = bob.call("alice");
    await exchange.net.until("the call is up", isUp(during, alice));
    bob.incomingCalls[0]!.reply(200);
    await exchange.net.until("the older call is up", isUp(before, bob));
    expect([await hangUp(exchange, before, alice), await hangUp(exchange, during, bob)]).toEqual([200, 200]);
    expect([alice.incomingCalls.length, bob.incomingCalls.length]).toEqual([1, 1]);
    await exchange.net.pass(transactionLifetime);
    expect(["a", "b", "c"].map((letter) => exchange.node(letter).isAlive)).toEqual([false, false, true]);
  });

  it("after its exit, calls to its phones wait for the next datagram of the phone", async () => {
    const [exchange, alice, bob] = await begin();
    exchange.drain("a", flows);
    await exchange.net.until("the node has gone", () => !exchange.node("a").isAlive, transactionLifetime);
    const call = alice.call("bob");
    exchange.net.after(10_000, () => bob.keepAlive());
    await exchange.net.until("the call is up", isUp(call, bob), 12_000);
    expect([call.status, bob.incomingCalls.length, await hangUp(exchange, call, alice)]).toEqual([
      200, 1, 200,
    ]);
  });
});

describe("failures during a drain whose flows stay", () => {
  const currentExchange = useExchange("abc");
  const others = (exchange: Exchange) => [exchange.node("b"), exchange.node("c")] as const;

  it("the load balancer still sends a new phone to an idle draining node: the phone is served", async () => {
    const exchange = currentExchange();
    const [bob] = (await registerPhones(exchange, "bob@b")) as [VirtualPhone];
    await exchange.net.pass(transactionLifetime);
    exchange.drain("a", "stay");
    await exchange.net.pass(20_000);
    bob.keepAlive();
    const [carol] = (await registerPhones(exchange, "carol@a")) as [VirtualPhone];
    const call = carol.call("bob");
    await exchange.net.until("the call is up", isUp(call, bob));
    expect([call.status, await hangUp(exchange, call, carol), countHandedOver(exchange) > 0]).toEqual([
      200,
      200,
      true,
    ]);
  });

  it("drain.timeoutSeconds: the node exits, and a call that still rings is answered through another node", async () => {
    const exchange = currentExchange();
    const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@a")) as Phones;
    exchange.drainTimeout = 20_000;
    bob.answering = ring;
    exchange.drain("a", "stay");
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    await exchange.net.pass(20_000);
    expect(exchange.node("a").isAlive).toBe(false);
    for (const phone of [alice, bob]) phone.keepAlive();
    bob.incomingCalls[0]!.reply(200);
    await exchange.net.until("the call is up", isUp(call, bob));
    expect([call.status, await hangUp(exchange, call, alice)]).toEqual([200, 200]);
  });

  it("it exits directly after it handed requests over: retransmissions to any node are not new requests", async () => {
    const exchange = currentExchange();
    const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@b")) as Phones;
    exchange.drainTimeout = 300;
    exchange.net.rules.push(({ from, text }) => {
      if (from !== bob.place || !text.startsWith("SIP/2.0 200")) return undefined;
      return exchange.node("a").isAlive ? [600] : undefined; // after the exit of the node
    });
    exchange.drain("a", "stay");
    await exchange.net.pass(100);
    const messages = Array.from({ length: 6 }, () => alice.message("bob", "once"));
    await exchange.net.until("all are answered", () => messages.every(({ status }) => status > 0));
    await exchange.net.pass(3_000);
    expect(exchange.node("a").isAlive).toBe(false);
    expect([messages.map(({ status }) => status), bob.requests.length]).toEqual([messages.map(() => 200), 6]);
  });

  it("the node stays while peers hold transactions for it: a call that rings for a minute is answered through it", async () => {
    const exchange = currentExchange();
    const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@a")) as Phones;
    bob.answering = ring;
    exchange.drain("a", "stay");
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    await exchange.net.pass(60_000);
    expect([exchange.node("a").isAlive, exchange.node("a").node.transactions.counts.server]).toEqual([
      true,
      0,
    ]);
    bob.incomingCalls[0]!.reply(200);
    await exchange.net.until("the call is up", isUp(call, bob));
    expect([call.status, await hangUp(exchange, call, alice)]).toEqual([200, 200]);
    await exchange.net.pass(transactionLifetime);
    expect(exchange.node("a").isAlive).toBe(false);
  });

  it("nodes join that would now be chosen: retransmissions go to the node that was chosen before", async () => {
    const exchange = currentExchange();
    const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@a")) as Phones;
    bob.answering = ring;
    exchange.drain("a", "stay");
    exchange.net.rules.push(({ to, text }) =>
      to === alice.place && / 1[08]0 /.test(text.slice(0, 12)) ? [] : undefined,
    );
    const calls = Array.from({ length: 6 }, () => alice.call("bob"));
    await exchange.net.until("all are sent on", () => bob.incomingCalls.length === 6);
    for (const letter of "def012") exchange.start(letter);
    await exchange.net.pass(8_000); // an INVITE is retransmitted after 0.5, 1.5, 3.5 and 7.5 s
    expect(bob.incomingCalls.map(({ repeats }) => repeats)).toEqual([0, 0, 0, 0, 0, 0]);
    for (const incoming of bob.incomingCalls) incoming.reply(486);
    await exchange.net.pass(1_000);
    expect(calls.map(({ status }) => status)).toEqual([486, 486, 486, 486, 486, 486]);
  });

  it("retransmissions arrive at another node while the draining node waits for the chosen peer: no request is served twice", async () => {
    const exchange = currentExchange();
    const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@a")) as Phones;
    exchange.drain("a", "stay");
    await exchange.net.pass(100);
    const messages = Array.from({ length: 6 }, () => alice.message("bob", "once"));
    const areChallenged = () =>
      messages.every(({ request }) => request.headers.some(([name]) => name.startsWith("Proxy-A")));
    await exchange.net.until("all are challenged", areChallenged);
    const until = exchange.net.now + 800;
    exchange.net.rules.push(({ bytes }) =>
      bytes[0] === frameKinds.handOver && exchange.net.now < until ? [] : undefined,
    );
    await exchange.net.pass(100);
    exchange.move(alice, "c");
    await exchange.net.until("all are answered", () => messages.every(({ status }) => status > 0));
    await exchange.net.pass(3_000);
    expect([messages.map(({ status }) => status), bob.requests.length]).toEqual([messages.map(() => 200), 6]);
  });

  it("the chosen peer drains too and no peer knows it: the request goes to the next peer", async () => {
    const exchange = currentExchange();
    const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@a")) as Phones;
    exchange.drain("a", "stay");
    exchange.net.lose(({ from, bytes }) => from === "node-b:7000" && bytes[0] === frameKinds.ping, 2);
    exchange.drain("b", "stay");
    const calls = Array.from({ length: 8 }, () => alice.message("bob", "hello"));
    await exchange.net.until("all are answered", () => calls.every(({ status }) => status > 0));
    expect(calls.map(({ status }) => status)).toEqual(calls.map(() => 200));
    expect([bob.requests.length, exchange.node("b").cluster.relays.taken]).toEqual([8, 0]);
    expect(exchange.node("c").cluster.relays.taken).toBeGreaterThanOrEqual(8);
  });

  it("the peer's answer is lost several times: the phone rings once", async () => {
    const exchange = currentExchange();
    const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@a")) as Phones;
    bob.answering = ring;
    exchange.drain("a", "stay");
    const call = alice.call("bob");
    const isAnswer = (to: string, bytes: Buffer) => to === "node-a:7000" && bytes[0] === frameKinds.answer;
    await exchange.net.until("challenged", () =>
      call.request.headers.some(([name]) => name === "Proxy-Authorization"),
    );
    exchange.net.lose(({ to, bytes }) => isAnswer(to, bytes), 12);
    await exchange.net.pass(3_000);
    expect([bob.incomingCalls.length, call.isRinging]).toEqual([1, true]);
    bob.incomingCalls[0]!.reply(603);
    await exchange.net.pass(1_000);
    expect(call.status).toBe(603);
  });

  it("the chosen peers die: new requests are served by the remaining ones, and finally by the node itself", async () => {
    const exchange = currentExchange();
    const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@a")) as Phones;
    exchange.drain("a", "stay");
    await exchange.net.pass(100);
    for (const { letter } of others(exchange)) exchange.kill(letter);
    const call = alice.call("bob");
    await exchange.net.until("the call is up", isUp(call, bob), 12_000);
    expect([call.status, bob.incomingCalls.length, await hangUp(exchange, call, alice)]).toEqual([
      200, 1, 200,
    ]);
  });

  it("a request that is too large for a frame is served by the node itself", async () => {
    const exchange = currentExchange();
    const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@a")) as Phones;
    exchange.drain("a", "stay");
    const message = alice.message("bob", "x".repeat(61_000));
    await exchange.net.until("answered", () => message.status > 0);
    expect([message.status, bob.requests.length]).toEqual([200, 1]);
  });

  it("a node that joins during the drain is handed new requests", async () => {
    const exchange = currentExchange();
    const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@a")) as Phones;
    for (const letter of ["a", "b", "c"]) exchange.drain(letter, "stay");
    const own = alice.message("bob", "served here");
    await exchange.net.until("answered", () => own.status > 0);
    exchange.start("d");
    await exchange.net.pass(1_500);
    const call = alice.call("bob");
    await exchange.net.until("the call is up", isUp(call, bob));
    expect(exchange.node("d").cluster.relays.taken).toBeGreaterThan(0);
    expect([own.status, await hangUp(exchange, call, alice)]).toEqual([200, 200]);
  });
});

describe("an ACK to a 2xx, which has no transaction", () => {
  const currentExchange = useExchange("ab");

  it("waits for the database when the drain timeout is over: the node exits after the ACK is sent", async () => {
    const exchange = currentExchange();
    const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@b")) as Phones;
    const call = alice.call("bob");
    call.acknowledges = false;
    await exchange.net.until("answered", () => call.status === 200);
    exchange.databaseTakes = 300;
    exchange.drainTimeout = 100;
    // The Request-URI is not bob's Contact: the node looks up a new address of the dialog (ADR 31)
    const target = call.dialog.target.replace("bob@", "another@");
    alice.acknowledge({ ...call.dialog, target }, header(call.final!, "cseq"));
    exchange.drain("a", "stay");
    const { node } = exchange.node("a");
    await exchange.net.until("the ACK is looked up", () => node.isForwarding);
    await exchange.net.pass(200);
    expect([exchange.node("a").isAlive, node.isDrained]).toEqual([true, false]);
    await exchange.net.until("the ACK has arrived", () => bob.incomingCalls[0]!.isAcknowledged);
    await exchange.net.pass(50);
    expect([node.isForwarding, exchange.node("a").isAlive]).toEqual([false, false]);
  });
});

describe("a node without peers", () => {
  const currentExchange = useExchange("a");

  it("serves new requests until it is idle", async () => {
    const exchange = currentExchange();
    const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@a")) as Phones;
    exchange.drain("a", "stay");
    const call = alice.call("bob");
    await exchange.net.until("the call is up", isUp(call, bob));
    expect([call.statuses, await hangUp(exchange, call, alice)]).toEqual([[100, 180, 200], 200]);
    await exchange.net.pass(transactionLifetime);
    expect(exchange.node("a").isAlive).toBe(false);
  });
});
