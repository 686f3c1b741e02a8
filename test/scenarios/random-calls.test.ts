/**
 * Calls by chance over a bad network: whatever is lost, doubled and late, every call ends, nothing is left, and nobody hears a
 * stranger. A failure prints the seed that repeats it.
 */
import { expect, it } from "vitest";
import { type Chance, chance } from "../support/chance.ts";
import { Exchange } from "../support/exchange.ts";
import { expectQuiet, registered } from "../support/scene.ts";
import type { Rule } from "../support/virtual-net.ts";
import type { IncomingCall, OutgoingCall } from "../support/virtual-call.ts";
import { answerAtOnce, refuse, ring, type VirtualPhone } from "../support/virtual-phone.ts";

const calls = 200;
const names = ["alice@a", "bob@b", "carol@c", "dave@a", "erin@b", "frank@c", "frank@a", "grace@b"];
const users = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"];

/** Each datagram of a phone or to one: 5 % lost, 5 % twice, all up to 40 ms late; the wire between nodes is a good one. */
const badNetwork =
  (dice: Chance): Rule =>
  ({ from, to }) => {
    if (from.startsWith("node-") && to.startsWith("node-")) return undefined;
    const throwOf = dice.below(100);
    if (throwOf < 5) return [];
    return throwOf < 10 ? [dice.below(40), dice.below(400)] : [dice.below(40)];
  };

/** What a phone does with a call: answer at once or later, ring on, refuse. */
function decide(dice: Chance, call: IncomingCall, phone: VirtualPhone): void {
  const later = 200 + dice.below(4_000);
  dice.pick([
    answerAtOnce,
    answerAtOnce,
    (heard: IncomingCall) => {
      ring(heard);
      phone.after(later, () => heard.reply(200));
    },
    ring,
    refuse(486),
    refuse(603),
    refuse(480),
  ])(call);
}

/** Cancels what rings for long, changes some calls, hangs up what stands, by either side. */
function follow(dice: Chance, exchange: Exchange, call: OutgoingCall, caller: VirtualPhone): void {
  const { net } = exchange;
  if (dice.below(4) === 0) net.after(300 + dice.below(3_000), () => call.status === 0 && call.cancel());
  net.after(12_000, () => call.status === 0 && call.cancel());
  if (dice.below(3) === 0)
    net.after(14_000, () => call.dialogs[0] !== undefined && caller.within(call.dialogs[0], "INVITE"));
  net.after(20_000 + dice.below(2_000), () => {
    for (const dialog of call.dialogs) {
      const callee = exchange.phones.find(({ dialogs }) =>
        dialogs.some((one) => one !== dialog && one.callId === dialog.callId && one.local === dialog.remote),
      ); // prettier-ignore
      const own = callee?.dialogs.find(({ callId }) => callId === dialog.callId);
      if (callee !== undefined && own !== undefined && dice.below(2) === 0) callee.within(own, "BYE");
      else caller.within(dialog, "BYE");
    }
  });
}

async function run(dice: Chance, disturb: (exchange: Exchange, phones: readonly VirtualPhone[]) => void) {
  const exchange = await Exchange.open("abc");
  const phones = await registered(exchange, ...names);
  for (const phone of phones) phone.answering = (call) => decide(dice, call, phone);
  exchange.net.rules.push(badNetwork(dice));
  disturb(exchange, phones);
  const made: OutgoingCall[] = [];
  for (let i = 0; i < calls; i++) {
    const caller = dice.pick(phones);
    const call = caller.call(dice.pick(users.filter((user) => user !== caller.username)));
    made.push(call);
    follow(dice, exchange, call, caller);
    await exchange.net.pass(dice.below(300));
  }
  await exchange.net.pass(30_000);
  return { exchange, made };
}

it(`${calls} calls over a network that loses and doubles 5 % each way: all end, nothing is left`, async () => {
  const dice = chance("random calls");
  const { exchange, made } = await run(dice, () => {});
  expect(made.filter(({ status }) => status === 0).length, dice.seed).toBe(0);
  expect(made.filter(({ status }) => status === 200).length, dice.seed).toBeGreaterThan(calls / 10);
  await expectQuiet(exchange, dice.seed);
});

it(`${calls} calls while flows move between nodes all the time: all end, nothing is left`, async () => {
  const dice = chance("moving calls");
  const { exchange, made } = await run(dice, (exchange, phones) =>
    exchange.net.every(500, () => exchange.move(dice.pick(phones), dice.pick(["a", "b", "c"]))),
  );
  expect(made.filter(({ status }) => status === 0).length, dice.seed).toBe(0);
  await expectQuiet(exchange, dice.seed);
});

it(`${calls} calls while nodes die and others join: what survives ends, nothing is left`, async () => {
  const dice = chance("dying nodes");
  const { exchange, made } = await run(dice, (exchange) => {
    const [living, coming] = [[..."abc"], [..."def012"]];
    exchange.net.every(7_000, () => {
      const [oldest, next] = [living.shift(), coming.shift()];
      if (oldest === undefined || next === undefined) return;
      exchange.kill(oldest);
      exchange.start(next);
      living.push(next);
    });
  });
  // Those whose INVITE was on a node that died, and no more
  expect(made.filter(({ status }) => status === 0).length, dice.seed).toBeLessThan(calls / 3);
  await exchange.net.pass(25_000); // what waits for phones that nobody hears
  await expectQuiet(exchange, dice.seed);
});

it.each(["stay", "move"] as const)(
  `${calls} calls while every node is drained and replaced and flows %s: none fails by it`,
  async (flows) => {
    const dice = chance(`draining nodes, flows ${flows}`);
    const { exchange, made } = await run(dice, (exchange, phones) => {
      const [living, coming] = [[..."abc"], [..."def012"]];
      exchange.drainTimeout = 20_000;
      exchange.net.every(4_000, () => {
        const [letter, next] = [living.shift(), coming.shift()];
        if (letter === undefined || next === undefined) return;
        exchange.start(next);
        living.push(next);
        exchange.net.after(2_000, () => exchange.drain(letter, flows));
      });
      for (const phone of phones) exchange.net.every(20_000, () => phone.keepAlive());
    });
    const isFailure = ({ status }: OutgoingCall) => [0, 408, 481, 500, 503].includes(status);
    expect(
      made.filter(isFailure).map(({ statuses }) => statuses),
      dice.seed,
    ).toEqual([]);
    expect([...exchange.nodes.values()].filter(({ isAlive }) => !isAlive).length, dice.seed).toBeGreaterThan(
      2,
    );
    await expectQuiet(exchange, dice.seed);
  },
);
