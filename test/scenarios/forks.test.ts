/** Calls to several phones at the same time (RFC 3261 §16.6, §16.7). Each phone has another node. */
import { describe, expect, it } from "vitest";
import type { Exchange } from "../support/exchange.ts";
import { registerPhones, useExchange } from "../support/scenario.ts";
import { header, tag } from "../support/sip-text.ts";
import type { OutgoingCall } from "../support/virtual-call.ts";
import { answerAtOnce, refuse, ring, stayOffline, type VirtualPhone } from "../support/virtual-phone.ts";

const currentExchange = useExchange("abc");

/** Alice calls Bob, who has a desk phone on b and a mobile on c. */
async function fork(
  desk: VirtualPhone["answering"],
  mobile: VirtualPhone["answering"],
): Promise<{ exchange: Exchange; alice: VirtualPhone; phones: VirtualPhone[]; call: OutgoingCall }> {
  const exchange = currentExchange();
  const [alice, ...phones] = await registerPhones(exchange, "alice@a", "bob@b", "bob@c");
  [phones[0]!.answering, phones[1]!.answering] = [desk, mobile];
  const call = alice!.call("bob");
  return { exchange, alice: alice!, phones, call };
}
/** The Reason values of the CANCELs that a phone received. */
const reasons = (phone: VirtualPhone): string[] =>
  phone.requests
    .filter(({ startLine }) => startLine.startsWith("CANCEL "))
    .map((cancel) => header(cancel, "reason"));
const ends = (phones: readonly VirtualPhone[]): number[] =>
  phones.map(({ incomingCalls }) => incomingCalls[0]?.status ?? 0);

it("all phones ring; the first one that answers gets the call, and the others are cancelled (§16.7 step 10)", async () => {
  const { exchange, phones, call } = await fork(ring, ring);
  await exchange.net.until("both ring", () => call.statuses.filter((code) => code === 180).length === 2);
  phones[1]!.incomingCalls[0]!.reply(200);
  await exchange.net.pass(1_000);
  expect(call.statuses).toEqual([100, 180, 180, 200]);
  expect(ends(phones)).toEqual([487, 200]);
  expect(phones[0]!.incomingCalls[0]!.isAcknowledged && phones[1]!.incomingCalls[0]!.isAcknowledged).toBe(
    true,
  );
  expect(tag(call.dialog.remote)).toBe(phones[1]!.incomingCalls[0]!.toTag);
  expect(reasons(phones[0]!)).toEqual(['SIP;cause=200;text="Call completed elsewhere"']); // RFC 3326
});

it("a phone without a provisional response is cancelled after its first one (§9.1)", async () => {
  const { exchange, phones } = await fork(stayOffline, answerAtOnce);
  await exchange.net.pass(2_000);
  expect(phones[0]!.incomingCalls[0]!.isCancelled).toBe(false);
  phones[0]!.incomingCalls[0]!.reply(180);
  await exchange.net.pass(100);
  expect(ends(phones)).toEqual([487, 200]);
});

it("when all phones refuse, the caller gets the best response (§16.7 step 6)", async () => {
  const { exchange, phones, call } = await fork(ring, refuse(486));
  await exchange.net.pass(1_000);
  expect(call.status).toBe(0);
  phones[0]!.incomingCalls[0]!.reply(404);
  await exchange.net.pass(100);
  expect([call.status, call.statuses.length]).toEqual([404, 3]);
});

it("a 6xx ends the call after the others are cancelled (§16.7 step 5)", async () => {
  const { exchange, phones, call } = await fork(ring, refuse(603));
  await exchange.net.pass(1_000);
  expect(call.status).toBe(603);
  expect(ends(phones)).toEqual([487, 603]);
});

it("a second 2xx, sent before the CANCEL arrived, is forwarded too: two dialogs, both acknowledged and ended (§13.2.2.4)", async () => {
  const { exchange, alice, phones, call } = await fork(ring, ring);
  await exchange.net.until("both ring", () => call.statuses.filter((code) => code === 180).length === 2);
  for (const phone of phones) phone.incomingCalls[0]!.reply(200);
  await exchange.net.pass(1_000);
  expect(call.statuses.filter((code) => code === 200)).toHaveLength(2);
  expect(call.dialogs.map(({ remote }) => tag(remote)).sort()).toEqual(
    phones.map(({ incomingCalls }) => incomingCalls[0]!.toTag).sort(),
  );
  expect(phones.every(({ incomingCalls }) => incomingCalls[0]!.isAcknowledged)).toBe(true);
  const byes = call.dialogs.map((dialog) => alice.within(dialog, "BYE"));
  await exchange.net.pass(100);
  expect(byes.map(({ status }) => status)).toEqual([200, 200]);
  const hungUp = (phone: VirtualPhone) =>
    phone.requests
      .filter(({ startLine }) => startLine.startsWith("BYE"))
      .map((bye) => tag(header(bye, "to")));
  expect(phones.map(hungUp)).toEqual(phones.map(({ incomingCalls }) => [incomingCalls[0]!.toTag]));
});

it("every retransmission of a second 2xx half a minute later is forwarded, also after the transaction", async () => {
  const { exchange, phones, call } = await fork(stayOffline, answerAtOnce);
  await exchange.net.pass(31_800);
  exchange.net.lose(({ to, text }) => to === phones[0]!.place && text.startsWith("ACK "), 2);
  phones[0]!.incomingCalls[0]!.reply(200);
  await exchange.net.pass(5_000);
  expect(call.dialogs).toHaveLength(2);
  expect(call.statuses.filter((code) => code === 200)).toHaveLength(4);
  expect(phones[0]!.incomingCalls[0]!.isAcknowledged).toBe(true);
});

it("the caller cancels: all phones are cancelled, and the caller gets one 487", async () => {
  const { exchange, phones, call } = await fork(ring, ring);
  await exchange.net.until("both ring", () => call.statuses.filter((code) => code === 180).length === 2);
  call.cancel([["Reason", 'SIP;cause=600;text="Busy Everywhere"']]);
  await exchange.net.pass(1_000);
  expect(call.statuses).toEqual([100, 180, 180, 487]);
  expect(ends(phones)).toEqual([487, 487]);
  for (const phone of phones) expect(reasons(phone)).toEqual(['SIP;cause=600;text="Busy Everywhere"']);
});

describe("one phone of two does not respond", () => {
  it("the other one answers, and no transaction of the first remains", async () => {
    const { exchange, phones, call } = await fork(stayOffline, ring);
    phones[0]!.isOn = false;
    await exchange.net.pass(20_000);
    phones[1]!.incomingCalls[0]!.reply(200);
    await exchange.net.pass(20_000);
    expect(call.statuses).toEqual([100, 180, 200]);
  });

  it.each([486, 603])(
    "the other one refuses with %i: it is forwarded 4 s later, and a phone that then responds is cancelled (ADR 29)",
    async (code) => {
      const { exchange, phones, call } = await fork(ring, refuse(code));
      phones[0]!.isOn = false;
      await exchange.net.pass(3_900);
      expect(call.status).toBe(0);
      await exchange.net.pass(300);
      expect(call.statuses).toEqual([100, code]);
      phones[0]!.isOn = true;
      await exchange.net.until(
        "it receives the INVITE",
        () => (phones[0]!.incomingCalls[0]?.status ?? 0) >= 200,
      );
      expect([phones[0]!.incomingCalls[0]!.isCancelled, call.statuses]).toEqual([true, [100, code]]);
    },
  );

  it("the other one is busy and the first answers later: its 2xx is forwarded, and the caller can end that call", async () => {
    const { exchange, alice, phones, call } = await fork(stayOffline, refuse(486));
    await exchange.net.until("the caller has the response", () => call.status === 486);
    phones[0]!.incomingCalls[0]!.reply(200);
    await exchange.net.pass(1_000);
    expect([call.statuses, phones[0]!.incomingCalls[0]!.isAcknowledged]).toEqual([[100, 486, 200], true]);
    const bye = alice.within(call.dialog, "BYE");
    await exchange.net.pass(100);
    expect(bye.status).toBe(200);
  });

  it("the other one rings: the waiting time begins when it refuses", async () => {
    const { exchange, phones, call } = await fork(stayOffline, ring);
    phones[0]!.isOn = false;
    await exchange.net.pass(20_000);
    phones[1]!.incomingCalls[0]!.reply(486);
    await exchange.net.pass(3_900);
    expect(call.statuses).toEqual([100, 180]);
    await exchange.net.pass(300);
    expect(call.statuses).toEqual([100, 180, 486]);
  });

  it.each(["rings", "does not respond either"])(
    "the caller cancels while the other one %s: 487 within 4 s",
    async (other) => {
      const { exchange, phones, call } = await fork(stayOffline, ring);
      for (const phone of other === "rings" ? [phones[0]!] : phones) phone.isOn = false;
      await exchange.net.pass(1_000);
      call.cancel();
      await exchange.net.pass(4_200);
      expect(call.status).toBe(487);
    },
  );

  it("a MESSAGE that the other one refuses is answered 4 s later", async () => {
    const exchange = currentExchange();
    const [alice, desk, mobile] = await registerPhones(exchange, "alice@a", "bob@b", "bob@c");
    desk!.isOn = false;
    exchange.net.rules.push(({ from, text }) =>
      from === mobile!.place && text.startsWith("SIP/2.0 200") ? [] : undefined,
    );
    const message = alice!.message("bob", "hello");
    await exchange.net.until("it has arrived", () => mobile!.requests.length > 0);
    mobile!.respond(mobile!.requests[0]!, 415, "tag");
    await exchange.net.pass(3_800);
    expect(message.status).toBe(0);
    await exchange.net.pass(500);
    expect(message.status).toBe(415);
  });
});

describe("one phone of three does not respond (ADR 29)", () => {
  /** Bob's third phone does not respond. The first one refuses at once. */
  async function three(): Promise<{ exchange: Exchange; second: VirtualPhone; call: OutgoingCall }> {
    const exchange = currentExchange();
    const [alice, first, second, third] = await registerPhones(
      exchange,
      "alice@a",
      "bob@b",
      "bob@c",
      "bob@c",
    );
    [first!.answering, second!.answering] = [refuse(486), stayOffline];
    third!.isOn = false;
    const call = alice!.call("bob");
    await exchange.net.until(
      "all but one have received the INVITE",
      () => second!.incomingCalls.length === 1,
    );
    return { exchange, second: second!, call };
  }

  it("the waiting time restarts when another phone rings", async () => {
    const { exchange, second, call } = await three();
    await exchange.net.pass(3_000);
    second.incomingCalls[0]!.reply(180);
    await exchange.net.pass(500);
    second.incomingCalls[0]!.reply(486);
    await exchange.net.pass(3_500);
    expect(call.status).toBe(0);
    await exchange.net.pass(700);
    expect(call.status).toBe(486);
  });

  it("the waiting time does not restart at a second refusal", async () => {
    const { exchange, second, call } = await three();
    await exchange.net.pass(3_000);
    second.incomingCalls[0]!.reply(404);
    await exchange.net.pass(1_200);
    expect(call.status).toBe(404);
  });
});
