/**
 * A phone that changes its address during a call (RFC 3261 §12.2.1.2). Later requests of the other phone reach it through any node, also
 * through one that was started later (ADR 31).
 */
import { describe, expect, it } from "vitest";
import { useExchange } from "../support/scenario.ts";
import type { VirtualPhone } from "../support/virtual-phone.ts";

const currentExchange = useExchange("abc");
const instance = "<urn:uuid:00000000-0000-4000-8000-000000000007>";

async function talk(isBehindNat: boolean, instances: string | undefined) {
  const exchange = currentExchange();
  const settings = { isBehindNat, ...(instances === undefined ? {} : { instance: instances }) };
  const phones = [
    exchange.phone({ username: "alice", on: "a", ...settings }),
    exchange.phone({ username: "bob", on: "b", ...settings }),
  ] as const;
  const [alice, bob] = phones;
  const registrations = phones.map((phone) => phone.register());
  await exchange.net.until("registered", () => registrations.every(({ status }) => status === 200));
  const call = alice.call("bob");
  await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true);
  return { exchange, alice, bob, ofAlice: call.dialog, ofBob: bob.incomingCalls[0]!.dialog! };
}

describe.each([
  ["behind NAT", true],
  ["without NAT", false],
])("a re-INVITE with a new Contact from another address, %s", (_, isBehindNat) => {
  it.each([
    ["alice", undefined],
    ["bob", undefined],
    ["alice", instance],
    ["bob", instance],
  ])(
    "%s, instance %s: the re-INVITE, the ACK and the BYE of the other phone reach the new address",
    async (who, instances) => {
      const { exchange, alice, bob, ofAlice, ofBob } = await talk(isBehindNat, instances);
      const [mover, other] = who === "alice" ? [alice, bob] : [bob, alice];
      const [mine, theirs] = who === "alice" ? [ofAlice, ofBob] : [ofBob, ofAlice];
      mover.changePlace("192.0.2.200:40000", "10.99.0.1:5060");
      exchange.move(mover, "c");
      const refresh = mover.within(mine, "INVITE");
      await exchange.net.until("refreshed", () => refresh.status === 200);
      expect(theirs.target).toBe(mover.contact);
      exchange.start("d");
      await exchange.net.pass(1_500);
      exchange.move(other, "d");
      const change = other.within(theirs, "INVITE");
      await exchange.net.until("changed", () => mover.reinvites[0]?.isAcknowledged === true);
      const bye = other.within(theirs, "BYE");
      await exchange.net.until("hung up", () => bye.status > 0);
      expect([change.status, bye.status, mover.reinvites.length, mover.requests.length]).toEqual([
        200, 200, 1, 1,
      ]);
    },
  );
});

describe("a caller whose address translator changes its port, and which registers from the new one", () => {
  it.each([
    ["no instance", ""],
    ["the instance without reg-id", `;+sip.instance="${instance}"`],
    ["both", `;+sip.instance="${instance}";reg-id=1`],
  ])("its INVITE has %s, its REGISTER has both", async (_, parameters) => {
    const exchange = currentExchange();
    const alice = exchange.phone({ username: "alice", on: "a", instance });
    const bob = exchange.phone({ username: "bob", on: "b" });
    alice.contactParameters = parameters;
    const register = (...phones: VirtualPhone[]) => {
      const attempts = phones.map((phone) => phone.register());
      return exchange.net.until("registered", () => attempts.every(({ status }) => status === 200));
    };
    await register(alice, bob);
    alice.call("bob");
    await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true);
    alice.changePlace(alice.place.replace(/:\d+$/, ":40000"));
    exchange.move(alice, "c");
    await register(alice);
    const bye = bob.within(bob.incomingCalls[0]!.dialog!, "BYE");
    await exchange.net.until("hung up", () => bye.status > 0);
    expect([bye.status, alice.requests.length]).toEqual([200, 1]);
  });
});
