/** A rotation of keys during calls, in the three steps of design-sip rule 18, node after node (P5). No call is affected. */
import { expect, it } from "vitest";
import type { KeyRing } from "../../sip-node/src/auth/key-ring.ts";
import type { Exchange } from "../support/exchange.ts";
import { registerPhones, useExchange } from "../support/scenario.ts";
import { ring as rings, type VirtualPhone } from "../support/virtual-phone.ts";

const currentExchange = useExchange("abc");

/** The exchange's first key, and a second one with the times of each step. */
const first = { id: "k", key: Buffer.alloc(32, "k"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity };
const second = (signFrom: number) => ({ ...first, id: "l", key: Buffer.alloc(32, "l"), signFrom });
const steps: readonly (readonly [string, KeyRing])[] = [
  ["the new key verifies", [first, second(Infinity)]],
  ["the new key signs", [first, second(1)]],
  ["the old key is removed", [second(1)]],
];

async function call(exchange: Exchange, caller: VirtualPhone, callee: VirtualPhone): Promise<number[]> {
  const made = caller.call(callee.username);
  await exchange.net.until("the call is up", () => made.dialogs.length > 0);
  const change = caller.within(made.dialog, "INVITE");
  await exchange.net.until("changed", () => change.status > 0);
  const bye = caller.within(made.dialog, "BYE");
  await exchange.net.until("hung up", () => bye.status > 0);
  return [made.status, change.status, bye.status];
}

it("calls, registrations and ringing calls continue during each step, on nodes before and after it", async () => {
  const exchange = currentExchange();
  const [alice, bob, carol] = (await registerPhones(exchange, "alice@a", "bob@b", "carol@c")) as [
    VirtualPhone,
    VirtualPhone,
    VirtualPhone,
  ];
  for (const [step, ring] of steps) {
    carol.answering = rings;
    const again = [bob, carol].map((phone) => phone.register());
    await exchange.net.until("registered", () => again.every(({ status }) => status === 200));
    const ringing = alice.call("carol");
    await exchange.net.until("it rings", () => ringing.isRinging);
    for (const letter of "abc") {
      exchange.node(letter).keys.replace(ring);
      expect(await call(exchange, alice, bob), `${step} on ${letter}`).toEqual([200, 200, 200]);
      expect(await call(exchange, bob, alice), `${step} on ${letter}`).toEqual([200, 200, 200]);
      const registration = alice.register();
      await exchange.net.until("registered", () => registration.status > 0);
      expect(registration.status, `${step} on ${letter}`).toBe(200);
      exchange.move(alice, letter === "a" ? "b" : letter === "b" ? "c" : "a");
    }
    carol.incomingCalls.at(-1)!.reply(200);
    await exchange.net.until("answered", () => ringing.status > 0);
    const bye = carol.within(carol.incomingCalls.at(-1)!.dialog!, "BYE");
    await exchange.net.until("hung up", () => bye.status > 0);
    expect([ringing.status, bye.status], step).toEqual([200, 200]);
    await exchange.net.pass(60_000); // frames that the old key sealed are now refused
  }
});

it("a key that is dropped too early: requests in the dialog are refused, and the next call succeeds", async () => {
  const exchange = currentExchange();
  const [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@b")) as [VirtualPhone, VirtualPhone];
  const made = alice.call("bob");
  await exchange.net.until("the call is up", () => made.dialogs.length > 0);
  for (const letter of "abc") exchange.node(letter).keys.replace([second(1)]);
  const bye = alice.within(made.dialog, "BYE");
  await exchange.net.until("refused", () => bye.status > 0);
  expect([bye.status, await call(exchange, alice, bob)]).toEqual([407, [200, 200, 200]]);
});
