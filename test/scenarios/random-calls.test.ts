/**
 * Random calls over a bad network. Whatever is lost, duplicated and delayed, every call ends, no transaction remains, and no phone receives
 * from an unknown address. A failure prints the seed that repeats it.
 */
import { expect, it } from "vitest";
import { type SeededRandom, seededRandom } from "../support/seeded-random.ts";
import { Exchange } from "../support/exchange.ts";
import { expectNothingLeft, registerPhones } from "../support/scenario.ts";
import type { Rule } from "../support/virtual-net.ts";
import type { IncomingCall, OutgoingCall } from "../support/virtual-call.ts";
import { answerAtOnce, refuse, ring, type VirtualPhone } from "../support/virtual-phone.ts";

const calls = 200;
const names = ["alice@a", "bob@b", "carol@c", "dave@a", "erin@b", "frank@c", "frank@a", "grace@b"];
const users = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"];

/** Of the datagrams between phones and nodes, 5 % are lost, 5 % arrive twice, and all are up to 40 ms late. Between nodes none is lost. */
const badNetwork =
  (random: SeededRandom): Rule =>
  ({ from, to }) => {
    if (from.startsWith("node-") && to.startsWith("node-")) return undefined;
    const percent = random.below(100);
    if (percent < 5) return [];
    return percent < 10 ? [random.below(40), random.below(400)] : [random.below(40)];
  };

/** The reaction of a phone to a call: answer at once or later, only ring, refuse. */
function decide(random: SeededRandom, call: IncomingCall, phone: VirtualPhone): void {
  const later = 200 + random.below(4_000);
  random.pick([
    answerAtOnce,
    answerAtOnce,
    (incoming: IncomingCall) => {
      ring(incoming);
      phone.after(later, () => incoming.reply(200));
    },
    ring,
    refuse(486),
    refuse(603),
    refuse(480),
  ])(call);
}

/** Cancels some calls early, abandons unanswered calls, changes some calls, and ends established calls, by either side. */
function follow(random: SeededRandom, exchange: Exchange, call: OutgoingCall, caller: VirtualPhone): void {
  const { net } = exchange;
  if (random.below(4) === 0) net.after(300 + random.below(3_000), () => call.status === 0 && call.cancel());
  net.after(12_000, () => call.abandon());
  if (random.below(3) === 0)
    net.after(14_000, () => call.dialogs[0] !== undefined && caller.within(call.dialogs[0], "INVITE"));
  net.after(20_000 + random.below(2_000), () => {
    for (const dialog of call.dialogs) {
      const callee = exchange.phones.find(({ dialogs }) =>
        dialogs.some((one) => one !== dialog && one.callId === dialog.callId && one.local === dialog.remote),
      ); // prettier-ignore
      const own = callee?.dialogs.find(({ callId }) => callId === dialog.callId);
      if (callee !== undefined && own !== undefined && random.below(2) === 0) callee.within(own, "BYE");
      else caller.within(dialog, "BYE");
    }
  });
}

async function run(
  random: SeededRandom,
  disturb: (exchange: Exchange, phones: readonly VirtualPhone[]) => void,
) {
  const exchange = await Exchange.open("abc");
  const phones = await registerPhones(exchange, ...names);
  for (const phone of phones) phone.answering = (call) => decide(random, call, phone);
  exchange.net.rules.push(badNetwork(random));
  disturb(exchange, phones);
  const made: OutgoingCall[] = [];
  for (let i = 0; i < calls; i++) {
    const caller = random.pick(phones);
    const call = caller.call(random.pick(users.filter((user) => user !== caller.username)));
    made.push(call);
    follow(random, exchange, call, caller);
    await exchange.net.pass(random.below(300));
  }
  await exchange.net.pass(30_000);
  return { exchange, made };
}

it(`${calls} calls over a network that loses and duplicates 5 %: all end, and no transaction remains`, async () => {
  const random = seededRandom("random calls");
  const { exchange, made } = await run(random, () => {});
  expect(made.filter(({ status }) => status === 0).length, random.seed).toBe(0);
  expect(made.filter(({ status }) => status === 200).length, random.seed).toBeGreaterThan(calls / 10);
  await expectNothingLeft(exchange, random.seed);
});

it(`${calls} calls while flows move between nodes: all end, and no transaction remains`, async () => {
  const random = seededRandom("moving calls");
  const { exchange, made } = await run(random, (exchange, phones) =>
    exchange.net.every(500, () => exchange.move(random.pick(phones), random.pick(["a", "b", "c"]))),
  );
  expect(made.filter(({ status }) => status === 0).length, random.seed).toBe(0);
  await expectNothingLeft(exchange, random.seed);
});

it(`${calls} calls while nodes die and others join: the others end, and no transaction remains`, async () => {
  const random = seededRandom("dying nodes");
  const { exchange, made } = await run(random, (exchange) => {
    const [alive, joining] = [[..."abc"], [..."def012"]];
    exchange.net.every(7_000, () => {
      const [oldest, next] = [alive.shift(), joining.shift()];
      if (oldest === undefined || next === undefined) return;
      exchange.kill(oldest);
      exchange.start(next);
      alive.push(next);
    });
  });
  // Only calls whose INVITE was on a node that died
  expect(made.filter(({ status }) => status === 0).length, random.seed).toBeLessThan(calls / 3);
  await exchange.net.pass(25_000); // the longest wait of a message for a phone without an owner
  await expectNothingLeft(exchange, random.seed);
});

it.each(["stay", "move"] as const)(
  `${calls} calls while every node is drained and replaced and flows %s: none fails by it`,
  async (flows) => {
    const random = seededRandom(`draining nodes, flows ${flows}`);
    const { exchange, made } = await run(random, (exchange, phones) => {
      const [alive, joining] = [[..."abc"], [..."def012"]];
      exchange.drainTimeout = 20_000;
      exchange.net.every(4_000, () => {
        const [letter, next] = [alive.shift(), joining.shift()];
        if (letter === undefined || next === undefined) return;
        exchange.start(next);
        alive.push(next);
        exchange.net.after(2_000, () => exchange.drain(letter, flows));
      });
      for (const phone of phones) exchange.net.every(20_000, () => phone.keepAlive());
    });
    const isFailure = ({ status }: OutgoingCall) => [0, 408, 481, 500, 503].includes(status);
    expect(
      made.filter(isFailure).map(({ statuses }) => statuses),
      random.seed,
    ).toEqual([]);
    expect(
      [...exchange.nodes.values()].filter(({ isAlive }) => !isAlive).length,
      random.seed,
    ).toBeGreaterThan(2);
    await expectNothingLeft(exchange, random.seed);
  },
);
