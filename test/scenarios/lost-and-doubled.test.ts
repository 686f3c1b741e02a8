/** Calls over a network that loses and duplicates datagrams (RFC 3261 §17, §13.3.1.4, RFC 6026), with phones on two nodes. */
import { beforeEach, describe, expect, it } from "vitest";
import { type FrameKind, frameKinds } from "../../sip-node/src/cluster/frame.ts";
import type { Exchange } from "../support/exchange.ts";
import { registerPhones, useExchange } from "../support/scenario.ts";
import type { Datagram } from "../support/virtual-net.ts";
import { refuse, ring, type VirtualPhone } from "../support/virtual-phone.ts";

const currentExchange = useExchange("ab");
let exchange: Exchange;
let alice: VirtualPhone;
let bob: VirtualPhone;
beforeEach(async () => {
  exchange = currentExchange();
  [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@b")) as [VirtualPhone, VirtualPhone];
});

type Fits = (datagram: Datagram) => boolean;
const says = (text: string, word: string): boolean =>
  text.toLowerCase().includes(`\r\n${word.toLowerCase()}`);
const ofAlice =
  (start: string, cseq = ""): Fits =>
  (d) =>
    d.from === alice.place && d.text.startsWith(start) && says(d.text, cseq);
const toAlice =
  (start: string, cseq = ""): Fits =>
  (d) =>
    d.to === alice.place && d.text.startsWith(start) && says(d.text, cseq);
const ofBob =
  (start: string, cseq = ""): Fits =>
  (d) =>
    d.from === bob.place && d.text.startsWith(start) && says(d.text, cseq);
const toBob =
  (start: string, cseq = ""): Fits =>
  (d) =>
    d.to === bob.place && d.text.startsWith(start) && says(d.text, cseq);
const frame =
  (...kinds: readonly FrameKind[]): Fits =>
  (d) =>
    d.from.startsWith("node-") &&
    d.to.startsWith("node-") &&
    kinds.some((kind) => d.bytes[0] === frameKinds[kind]);

/** A call of Alice to Bob, which Alice ends. Each phone must see one call, whatever is retransmitted. */
async function callAndHangUp(): Promise<void> {
  const call = alice.call("bob");
  await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true, 30_000);
  expect([call.status, bob.incomingCalls.length, call.dialogs.length]).toEqual([200, 1, 1]);
  const bye = alice.within(call.dialog, "BYE");
  await exchange.net.until("it is hung up", () => bye.status > 0, 30_000);
  expect([bye.status, bob.requests.length]).toEqual([200, 1]);
}

describe("a call is set up and ended although this is lost", () => {
  it.each<[string, number, () => Fits]>([
    ["the INVITE from the caller, three times", 3, () => ofAlice("INVITE ")],
    ["the challenge", 1, () => toAlice("SIP/2.0 407 ")],
    ["the ACK to the challenge", 1, () => ofAlice("ACK ")],
    ["the 100 to the caller", 1, () => toAlice("SIP/2.0 100 ")],
    ["the INVITE to the callee, three times", 3, () => toBob("INVITE ")],
    ["every 180", 100, () => ofBob("SIP/2.0 180 ")],
    ["the callee's 200, twice: the callee repeats it", 2, () => ofBob("SIP/2.0 200 ", "CSeq: 2 INVITE")],
    [
      "the 200 to the caller: the callee repeats it, the node forwards it",
      2,
      () => toAlice("SIP/2.0 200 ", "CSeq: 2 INVITE"),
    ], // prettier-ignore
    ["the caller's ACK, twice", 2, () => ofAlice("ACK ", "Route: ")],
    ["the ACK to the callee, twice", 2, () => toBob("ACK ")],
    ["the caller's BYE, twice", 2, () => ofAlice("BYE ")],
    ["the BYE to the callee, twice", 2, () => toBob("BYE ")],
    ["the 200 to BYE, twice", 2, () => toAlice("SIP/2.0 200 ", "CSeq: 3 BYE")],
    ["the callee's 200 to BYE, twice", 2, () => ofBob("SIP/2.0 200 ", "CSeq: 3 BYE")],
    ["a relayed request", 1, () => frame("sendToPhone")],
    ["the next relayed requests", 3, () => frame("sendToPhone")],
    ["a relayed response", 1, () => frame("response")],
    ["the next relayed responses", 4, () => frame("response")],
    ["acknowledgements between nodes", 4, () => frame("acknowledge")],
    ["acknowledgements and answers between nodes", 6, () => frame("acknowledge", "answer")],
  ])("%s", async (_, count, fits) => {
    const before = exchange.net.sent.length;
    exchange.net.lose(fits(), count);
    await callAndHangUp();
    await exchange.net.pass(100);
    expect(exchange.net.sent.slice(before).filter(fits()).length).toBeGreaterThan(0);
  });
});

describe("a refused call ends although this is lost", () => {
  it.each<[string, () => Fits]>([
    ["the callee's 486", () => ofBob("SIP/2.0 486 ")],
    ["the 486 to the caller: the node repeats it (Timer G)", () => toAlice("SIP/2.0 486 ")],
    ["the ACK to the callee", () => toBob("ACK ")],
    ["the caller's ACK", () => ofAlice("ACK ", "CSeq: 2 ACK")],
  ])("%s", async (_, fits) => {
    bob.answering = refuse(486);
    exchange.net.lose(fits(), 2);
    const call = alice.call("bob");
    await exchange.net.pass(10_000);
    expect([call.status, bob.incomingCalls.length, bob.incomingCalls[0]!.isAcknowledged]).toEqual([
      486,
      1,
      true,
    ]);
  });
});

describe("a ringing call is cancelled although this is lost", () => {
  it.each<[string, () => Fits]>([
    ["the caller's CANCEL", () => ofAlice("CANCEL ")],
    ["the 200 to CANCEL", () => toAlice("SIP/2.0 200 ", "CSeq: 2 CANCEL")],
    ["the CANCEL to the callee", () => toBob("CANCEL ")],
    ["the callee's 200 to CANCEL", () => ofBob("SIP/2.0 200 ", "CSeq: 2 CANCEL")],
    ["the callee's 487", () => ofBob("SIP/2.0 487 ")],
    ["the 487 to the caller", () => toAlice("SIP/2.0 487 ")],
  ])("%s", async (_, fits) => {
    bob.answering = ring;
    const call = alice.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    exchange.net.lose(fits(), 2);
    const cancel = call.cancel();
    await exchange.net.pass(10_000);
    expect([cancel.status, call.status, bob.incomingCalls[0]!.isAcknowledged]).toEqual([200, 487, true]);
  });
});

describe("a call is abandoned before these arrive", () => {
  it("the INVITE: a CANCEL follows its first provisional response, and the ringing ends", async () => {
    bob.answering = ring;
    exchange.net.lose(ofAlice("INVITE ", "CSeq: 2 INVITE"), 3);
    const call = alice.call("bob");
    await exchange.net.pass(1_000);
    call.abandon();
    await exchange.net.pass(1_000);
    expect(exchange.net.sent.filter(ofAlice("CANCEL "))).toEqual([]);
    await exchange.net.pass(5_000);
    expect([call.status, bob.incomingCalls.length, bob.incomingCalls[0]!.status]).toEqual([487, 1, 487]);
  });

  it("the challenge: it is not answered, and no phone rings", async () => {
    exchange.net.lose(toAlice("SIP/2.0 407 "), 2);
    const call = alice.call("bob");
    await exchange.net.pass(1_000);
    call.abandon();
    await exchange.net.pass(5_000);
    expect([call.status, bob.incomingCalls.length]).toEqual([407, 0]);
    expect(exchange.net.sent.filter(ofAlice("CANCEL "))).toEqual([]);
  });
});

describe("every datagram arrives twice", () => {
  beforeEach(() => exchange.net.rules.push(() => [0, 7]));

  it("one call, one ring, one BYE", async () => {
    await callAndHangUp();
  });

  it("one refusal", async () => {
    bob.answering = refuse(486);
    const call = alice.call("bob");
    await exchange.net.pass(1_000);
    expect([call.status, bob.incomingCalls.length, bob.incomingCalls[0]!.isAcknowledged]).toEqual([
      486,
      1,
      true,
    ]);
  });

  it("one MESSAGE, one registration", async () => {
    const sent = alice.message("bob", "once");
    const registration = bob.register();
    await exchange.net.pass(1_000);
    expect([sent.status, registration.status]).toEqual([200, 200]);
    expect(bob.requests.map(({ body }) => body)).toEqual(["once"]);
  });
});

it("a 200 that is 600 ms late is retransmitted, and both are acknowledged", async () => {
  exchange.net.rules.push((d) => (toAlice("SIP/2.0 200 ", "CSeq: 2 INVITE")(d) ? [600] : undefined));
  await callAndHangUp();
});
