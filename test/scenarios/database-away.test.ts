/** The database is unavailable or slow: no change is acknowledged before it is stored, and requests that need no row are served. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Exchange } from "../support/exchange.ts";
import { registerPhones, useExchange } from "../support/scenario.ts";
import { header } from "../support/sip-text.ts";
import type { VirtualPhone } from "../support/virtual-phone.ts";

const currentExchange = useExchange("ab");
let exchange: Exchange;
let alice: VirtualPhone;
let bob: VirtualPhone;
beforeEach(async () => {
  exchange = currentExchange();
  [alice, bob] = (await registerPhones(exchange, "alice@a", "bob@b")) as [VirtualPhone, VirtualPhone];
});

describe("the database is unavailable", () => {
  it.each([
    ["an INVITE", () => alice.call("bob")],
    ["a MESSAGE", () => alice.message("bob", "hello")],
  ])(
    "P7: %s between known phones of two nodes succeeds, also after the time of their bindings",
    async (_, ask) => {
      const first = alice.message("bob", "hello");
      await exchange.net.until("the users are known", () => first.status === 200);
      exchange.services.store.isAway = true;
      for (const duration of [0, 1_000, 300_000]) {
        await exchange.net.pass(duration);
        const sent = ask();
        await exchange.net.until("answered", () => sent.status > 0);
        expect(sent.status, `after ${duration} ms`).toBe(200);
      }
    },
  );

  it.each([
    ["REGISTER", () => alice.register()],
    ["INVITE", () => alice.call("bob")],
    ["MESSAGE", () => alice.message("bob", "hello")],
  ])(
    "%s is answered with 500 and Retry-After, and succeeds when the database is available again",
    async (_, ask) => {
      exchange.services.store.isAway = true;
      const refused = ask();
      await exchange.net.until("refused", () => refused.status > 0);
      expect([refused.status, header(refused.final!, "retry-after")]).toEqual([500, "5"]);
      expect([bob.incomingCalls.length, bob.requests.length]).toEqual([0, 0]);
      exchange.services.store.isAway = false;
      const accepted = ask();
      await exchange.net.until("accepted", () => accepted.status > 0);
      expect(accepted.status).toBe(200);
    },
  );

  it.each(["alice", "bob"])("an established call is changed and ended by %s", async (who) => {
    const call = alice.call("bob");
    await exchange.net.until("the call is up", () => bob.incomingCalls[0]?.isAcknowledged === true);
    exchange.services.store.isAway = true;
    const [phone, dialog] = who === "alice" ? [alice, call.dialog] : [bob, bob.incomingCalls[0]!.dialog!];
    const change = phone.within(dialog, "INVITE");
    await exchange.net.until("changed", () => change.status > 0);
    const bye = phone.within(dialog, "BYE");
    await exchange.net.until("hung up", () => bye.status > 0);
    expect([change.status, bye.status]).toEqual([200, 200]);
  });

  it("it becomes unavailable between the challenge and the credentials: no 401, no 403, no 404", async () => {
    exchange.net.rules.push(({ text }) => {
      if (text.startsWith("SIP/2.0 407 ")) exchange.services.store.isAway = true;
      return undefined;
    });
    const call = alice.call("bob");
    await exchange.net.pass(1_000);
    expect(call.statuses).toEqual([500]);
  });
});

describe("the database is slow", () => {
  it("a REGISTER that is retransmitted while it waits is committed and answered once", async () => {
    exchange.databaseTakes = 1_500;
    const attempt = bob.register();
    await exchange.net.until("registered", () => attempt.status > 0, 20_000);
    expect(attempt.status).toBe(200);
    await exchange.net.pass(10_000);
    expect(new Set(attempt.statuses)).toEqual(new Set([200]));
  });

  it("a call is cancelled before it rings: 487, and no phone rings", async () => {
    exchange.databaseTakes = 600;
    const call = alice.call("bob");
    await exchange.net.pass(300); // challenged from the copy; the look-up of the called user's bindings is pending
    const cancel = call.cancel();
    await exchange.net.pass(10_000);
    expect([cancel.status, call.status, bob.incomingCalls.length]).toEqual([200, 487, 0]);
  });
});
