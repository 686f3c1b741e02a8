/** Sessions through the proxy, the cases of RFC 3665 §3, with both phones on one node and on two. */
import { describe, expect, it } from "vitest";
import type { Exchange } from "../support/exchange.ts";
import { registerPhones, useExchange } from "../support/scenario.ts";
import { header, headerList } from "../support/sip-text.ts";
import type { IncomingCall, OutgoingCall } from "../support/virtual-call.ts";
import { refuse, ring, stayOffline, type VirtualPhone } from "../support/virtual-phone.ts";

const currentExchange = useExchange("ab");
const pairs = [
  ["one node", "alice@a", "bob@a"],
  ["two nodes", "alice@a", "bob@b"],
] as const;

interface Phones {
  readonly exchange: Exchange;
  readonly alice: VirtualPhone;
  readonly bob: VirtualPhone;
}

async function twoPhones(alice: string = "alice@a", bob: string = "bob@b"): Promise<Phones> {
  const exchange = currentExchange();
  const phones = await registerPhones(exchange, alice, bob);
  return { exchange, alice: phones[0]!, bob: phones[1]! };
}

async function connect({ exchange, alice, bob }: Phones): Promise<[OutgoingCall, IncomingCall]> {
  const call = alice.call(bob.username);
  await exchange.net.until("the call is up", () => bob.incomingCalls.at(-1)?.isAcknowledged === true);
  return [call, bob.incomingCalls.at(-1)!];
}

describe.each(pairs)("§3.1, §3.2 session through the proxy, phones on %s", (_, caller, callee) => {
  it("is challenged, rings once, is answered and acknowledged", async () => {
    const phones = await twoPhones(caller, callee);
    const [call, heard] = await connect(phones);
    expect(call.statuses).toEqual([100, 180, 200]);
    expect(phones.bob.incomingCalls).toHaveLength(1);
    expect(heard.repeats).toBe(0);
    expect(header(heard.invite, "max-forwards")).toBe("69");
    expect(headerList(heard.invite, "record-route")).toHaveLength(1);
    expect(header(heard.invite, "proxy-authorization")).toBe("");
    expect(heard.invite.startLine).toBe(`INVITE ${phones.bob.contact} SIP/2.0`);
  });

  it.each(["caller", "callee"])("is ended by the %s", async (side) => {
    const phones = await twoPhones(caller, callee);
    const [call, heard] = await connect(phones);
    const bye =
      side === "caller" ? phones.alice.within(call.dialog, "BYE") : phones.bob.within(heard.dialog!, "BYE");
    await phones.exchange.net.until("hung up", () => bye.status > 0);
    expect(bye.responses).toHaveLength(1);
    expect(bye.status).toBe(200);
    const other = side === "caller" ? phones.bob : phones.alice;
    expect(other.requests.map(({ startLine }) => startLine.split(" ")[0])).toEqual(["BYE"]);
  });

  it.each(["caller", "callee"])("is changed by a re-INVITE of the %s", async (side) => {
    const phones = await twoPhones(caller, callee);
    const [call, heard] = await connect(phones);
    const isCaller = side === "caller";
    const [from, to] = isCaller ? [phones.alice, phones.bob] : [phones.bob, phones.alice];
    const change = from.within(isCaller ? call.dialog : heard.dialog!, "INVITE");
    await phones.exchange.net.until("changed", () => to.reinvites[0]?.isAcknowledged === true);
    expect(change.responses.map(({ startLine }) => startLine.split(" ")[1])).toEqual(["100", "200"]);
    expect(header(to.reinvites[0]!.invite, "record-route")).toBe("");
  });
});

describe.each(["caller", "callee"])("an established call whose %s has moved to the other node", (side) => {
  it.each(["caller", "callee"])("is changed and ended by the %s", async (asker) => {
    const phones = await twoPhones("alice@a", "bob@a");
    const [call, heard] = await connect(phones);
    phones.exchange.move(side === "caller" ? phones.alice : phones.bob, "b");
    const from = asker === "caller" ? phones.alice : phones.bob;
    const dialog = asker === "caller" ? call.dialog : heard.dialog!;
    const change = from.within(dialog, "INVITE");
    await phones.exchange.net.until("changed", () => change.status > 0);
    const bye = from.within(dialog, "BYE");
    await phones.exchange.net.until("hung up", () => bye.status > 0);
    expect([change.status, bye.status]).toEqual([200, 200]);
    expect((asker === "caller" ? phones.bob : phones.alice).reinvites).toHaveLength(1);
  });
});

describe.each(pairs)("failures of calls, phones on %s", (_, caller, callee) => {
  it("§3.8 no answer: CANCEL ends the ringing, and the INVITE gets 487", async () => {
    const phones = await twoPhones(caller, callee);
    phones.bob.answering = ring;
    const call = phones.alice.call("bob");
    await phones.exchange.net.until("it rings", () => call.isRinging);
    const cancel = call.cancel();
    await phones.exchange.net.until("it is over", () => call.status > 0);
    expect([cancel.status, call.statuses]).toEqual([200, [100, 180, 487]]);
    await phones.exchange.net.pass(100);
    expect([phones.bob.incomingCalls[0]!.isCancelled, phones.bob.incomingCalls[0]!.isAcknowledged]).toEqual([
      true,
      true,
    ]);
  });

  it("§3.9 busy: 486, acknowledged hop by hop", async () => {
    const phones = await twoPhones(caller, callee);
    phones.bob.answering = refuse(486);
    const call = phones.alice.call("bob");
    await phones.exchange.net.pass(1_000);
    expect(call.statuses).toEqual([100, 486]);
    expect(phones.bob.incomingCalls[0]!.isAcknowledged).toBe(true);
  });

  it("§3.10 no response: 408 when Timer B fires, 32 s after seven attempts", async () => {
    const phones = await twoPhones(caller, callee);
    phones.bob.answering = stayOffline;
    const call = phones.alice.call("bob");
    await phones.exchange.net.pass(31_900);
    expect(call.statuses).toEqual([100]);
    await phones.exchange.net.pass(300);
    expect(call.statuses).toEqual([100, 408]);
    expect([phones.bob.incomingCalls.length, phones.bob.incomingCalls[0]!.repeats]).toEqual([1, 6]);
  });

  it("§3.11 temporarily unavailable: the phone's 480 is forwarded unchanged", async () => {
    const phones = await twoPhones(caller, callee);
    phones.bob.answering = refuse(480);
    const call = phones.alice.call("bob");
    await phones.exchange.net.pass(1_000);
    expect([call.statuses, call.final!.startLine]).toEqual([[100, 480], "SIP/2.0 480 Reason"]);
  });
});

it("§3.11 a user without a phone: 480 at once", async () => {
  const { exchange, alice } = await twoPhones();
  exchange.services.store.addUser("carol", "example.com");
  const call = alice.call("carol");
  await exchange.net.pass(1_000);
  expect(call.statuses).toEqual([480]);
});

it("a wrong password is challenged again, and no phone rings", async () => {
  const { exchange, alice, bob } = await twoPhones();
  const call = alice.call("bob", "guessed");
  await exchange.net.pass(1_000);
  expect([call.statuses, bob.incomingCalls.length]).toEqual([[407], 0]);
});

describe("Timer C", () => {
  it("ends a call that rings for more than three minutes: CANCEL to the phone, 487 to the caller (§16.8)", async () => {
    const phones = await twoPhones();
    phones.bob.answering = ring;
    const call = phones.alice.call("bob");
    await phones.exchange.net.pass(180_000);
    expect(call.statuses).toEqual([100, 180]);
    await phones.exchange.net.pass(6_000);
    expect(call.statuses).toEqual([100, 180, 487]);
    expect([phones.bob.incomingCalls[0]!.isCancelled, phones.bob.incomingCalls[0]!.isAcknowledged]).toEqual([
      true,
      true,
    ]);
  });

  it("a phone that stops responding while it rings: 408 or 487 when its CANCEL is not answered, and no transaction remains", async () => {
    const phones = await twoPhones();
    phones.bob.answering = (heard) => {
      heard.reply(180);
      phones.exchange.net.after(1_000, () => (phones.bob.isOn = false));
    };
    const call = phones.alice.call("bob");
    await phones.exchange.net.pass(225_000);
    expect(call.statuses).toEqual([100, 180, 487]);
  });
});

describe.each(pairs)("MESSAGE, phones on %s", (_, caller, callee) => {
  it("is challenged, delivered once, and answered by the phone", async () => {
    const { exchange, alice, bob } = await twoPhones(caller, callee);
    const sent = alice.message("bob", "Mr. Watson, come here");
    await exchange.net.until("answered", () => sent.status > 0);
    expect(sent.statuses).toEqual([200]);
    expect(bob.requests.map(({ body }) => body)).toEqual(["Mr. Watson, come here"]);
  });

  it("to a phone that does not respond ends without a 408 (RFC 4320 §4.2)", async () => {
    const { exchange, alice, bob } = await twoPhones(caller, callee);
    bob.isOn = false;
    const sent = alice.message("bob", "hello?");
    await exchange.net.pass(40_000);
    expect([sent.statuses, sent.request.isSilent]).toEqual([[], true]);
  });
});
