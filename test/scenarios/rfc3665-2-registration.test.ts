/** Registration, the cases of RFC 3665 §2, through whole nodes. */
import { describe, expect, it } from "vitest";
import { domain } from "../support/exchange.ts";
import { registerPhones, useExchange } from "../support/scenario.ts";
import { header, headerList, type SipText, uriOf } from "../support/sip-text.ts";

const currentExchange = useExchange("ab");
const contacts = (response: SipText | undefined): string[] =>
  response === undefined ? ["no response"] : headerList(response, "contact").map(uriOf);

describe("§2.1 successful new registration", () => {
  it("is challenged once, and the 200 lists the contact with its expiration", async () => {
    const exchange = currentExchange();
    const { net } = exchange;
    const bob = exchange.phone({ username: "bob", on: "a" });
    const attempt = bob.register();
    await net.until("registered", () => attempt.status > 0);
    expect(attempt.statuses).toEqual([200]);
    expect(contacts(attempt.final)).toEqual([bob.contact]);
    expect(header(attempt.final!, "contact")).toContain("expires=120"); // behind NAT
    expect(net.sent.filter(({ text }) => text.startsWith("REGISTER ")).length).toBe(2);
  });

  it("the nonce of one node is accepted by the other", async () => {
    const exchange = currentExchange();
    const bob = exchange.phone({ username: "bob", on: "a" });
    const attempt = bob.register();
    exchange.net.rules.push(({ text }) => {
      if (text.startsWith("SIP/2.0 401 ")) exchange.move(bob, "b");
      return undefined;
    });
    await exchange.net.until("registered", () => attempt.status > 0);
    expect(attempt.statuses).toEqual([200]);
    expect(exchange.node("b").cluster.flows.size).toBe(1);
  });
});

describe("§2.2 update of contact list", () => {
  it("a second phone of the user is listed with the first, through each node", async () => {
    const exchange = currentExchange();
    const [bob] = await registerPhones(exchange, "bob@a");
    const other = exchange.phone({ username: "bob", on: "b" });
    const attempt = other.register(`<sip:bob@desk.invalid>`);
    await exchange.net.until("registered", () => attempt.status > 0);
    expect(contacts(attempt.final).sort()).toEqual([bob!.contact, "sip:bob@desk.invalid"].sort());
  });
});

describe("§2.3 request for current contact list", () => {
  it("lists the contacts and changes nothing", async () => {
    const exchange = currentExchange();
    const [bob] = await registerPhones(exchange, "bob@a");
    exchange.move(bob!, "b");
    for (let i = 0; i < 2; i++) {
      const query = bob!.register("");
      await exchange.net.until("answered", () => query.status > 0);
      expect([query.status, contacts(query.final)]).toEqual([200, [bob!.contact]]);
    }
  });
});

describe("§2.4 cancellation of registration", () => {
  it("removes all bindings, and calls then find no phone on any node", async () => {
    const exchange = currentExchange();
    const [alice, bob] = await registerPhones(exchange, "alice@b", "bob@a");
    const removal = bob!.register("*", { expires: 0 });
    await exchange.net.until("removed", () => removal.status > 0);
    expect([removal.status, contacts(removal.final)]).toEqual([200, []]);
    const call = alice!.call("bob");
    await exchange.net.until("refused", () => call.status > 0);
    expect([call.status, bob!.incomingCalls.length]).toEqual([480, 0]);
  });
});

describe("§2.5 unsuccessful registration", () => {
  it("a wrong password is challenged again, and no contact is stored", async () => {
    const exchange = currentExchange();
    const bob = exchange.phone({ username: "bob", on: "a" });
    const attempt = bob.register(undefined, { password: "guessed" });
    await exchange.net.until("refused", () => attempt.status > 0);
    expect(attempt.statuses).toEqual([401]);
    expect(header(attempt.final!, "www-authenticate")).not.toContain("stale=true");
    expect((await exchange.services.store.bindings([{ username: "bob", domain }]))[0]?.bindings).toEqual([]);
  });
});

it("a REGISTER that arrives once at each node is one registration (design-sip rule 13)", async () => {
  const exchange = currentExchange();
  const bob = exchange.phone({ username: "bob", on: "a" });
  exchange.net.rules.push(({ text }) => {
    if (!text.startsWith("REGISTER ") || !text.includes("Authorization")) return undefined;
    exchange.net.after(6, () => exchange.move(bob, "b"));
    return [0, 3];
  });
  const attempt = bob.register();
  await exchange.net.pass(100);
  expect(attempt.statuses).toEqual([200, 200]);
  expect((await exchange.services.store.bindings([{ username: "bob", domain }]))[0]?.bindings).toHaveLength(
    1,
  );
});

describe("a phone whose network changed (docs/adr/0023)", () => {
  it.each([
    ["with its instance in both contacts, the new one first", ';+sip.instance="<urn:uuid:1>"', false],
    ["with its instance in both contacts, the old one first", ';+sip.instance="<urn:uuid:1>"', true],
    ["without an instance", "", false],
  ])(
    "%s: it rings at its new address at once, and nothing is sent to the old one",
    async (_, instance, isOldFirst) => {
      const exchange = currentExchange();
      const { net } = exchange;
      const [alice] = await registerPhones(exchange, "alice@b");
      const bob = exchange.phone({ username: "bob", on: "a" });
      const [oldContact, oldPlace] = [bob.contact, bob.place];
      const first = bob.register(`<${oldContact}>${instance}`);
      await net.until("registered", () => first.status > 0);
      bob.changePlace("198.51.100.77:4711", "10.9.9.9:5060");
      exchange.move(bob, "b");
      const both = [`<${bob.contact}>${instance}`, `<${oldContact}>${instance};expires=0`];
      const moved = bob.register((isOldFirst ? both.reverse() : both).join(", "));
      await net.until("registered again", () => moved.status > 0);
      expect([moved.status, contacts(moved.final)]).toEqual([200, [bob.contact]]);
      const before = net.sent.length;
      const call = alice!.call("bob");
      await net.pass(1_000);
      expect([call.status, bob.incomingCalls.length]).toEqual([200, 1]);
      expect(net.sent.slice(before).filter(({ to }) => to === oldPlace)).toEqual([]);
    },
  );
});
