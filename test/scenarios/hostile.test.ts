/**
 * Senders without an account that send too much (design-sip rule 24, ADR 48): budgets of sources, wrong passwords, scanners, domains that are
 * not served. docs/threat-model.md refers to these tests.
 */
import { expect, it } from "vitest";
import type { Exchange } from "../support/exchange.ts";
import { registerPhones, useExchange } from "../support/scenario.ts";
import { writeSip } from "../support/sip-text.ts";
import type { VirtualPhone } from "../support/virtual-phone.ts";

const currentExchange = useExchange("a");
const office = "198.51.100.77";

const begin = async (...names: string[]): Promise<[Exchange, ...VirtualPhone[]]> => {
  const exchange = currentExchange();
  return [exchange, ...(await registerPhones(exchange, ...names))];
};

let number = 0;
function strangersRequest(
  method: string,
  more: readonly (readonly [string, string])[] = [],
  uri = "sip:bob@example.com",
) {
  number += 1;
  return writeSip(`${method} ${uri} SIP/2.0`, [
    ["Via", `SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK-hostile-${number};rport`],
    ["From", "<sip:mallory@example.com>;tag=1"],
    ["To", method === "REGISTER" ? "<sip:mallory@example.com>" : `<${uri}>`],
    ["Call-ID", `hostile-${number}`],
    ["CSeq", `1 ${method}`],
    ...more,
  ]);
}

/** How many datagrams the exchange sent to an address. */
const answersTo = ({ net }: Exchange, address: string): number =>
  net.sent.filter(({ to }) => to.startsWith(`${address}:`)).length;

it.each([
  ["REGISTER", 2_000],
  ["INVITE", 1_000],
  ["OPTIONS", 2_000],
])("a stranger that sends 5,000 times %s in a second gets %i answers", async (method, budget) => {
  const [exchange] = await begin("alice@a");
  for (let i = 0; i < 5_000; i++) {
    exchange.forge("a", strangersRequest(method), `192.0.2.9:${1_024 + (i % 500)}`);
    if (i % 1_000 === 999) await exchange.net.pass(10);
  }
  await exchange.net.pass(200);
  expect(answersTo(exchange, "192.0.2.9")).toBeGreaterThanOrEqual(budget);
  expect(answersTo(exchange, "192.0.2.9")).toBeLessThan(budget * 1.1);
  expect(exchange.node("a").overload.dropped["rate"]).toBeGreaterThan(2_500);
});

it("after a power failure all phones of an office behind one address register, and none is refused", async () => {
  const exchange = currentExchange();
  const count = 3_000; // more than the budget of a stranger
  const phones = Array.from({ length: count }, (_, i) =>
    exchange.phone({ username: `desk${i}`, on: "a", place: `${office}:${1_024 + i}` }),
  );
  const attempts = phones.map((phone) => phone.register());
  await exchange.net.until(
    "all are registered",
    () => attempts.every(({ status }) => status === 200),
    32_000,
  );
  expect(exchange.node("a").overload.dropped["register-queue"]).toBe(0);
}, 60_000);

it("a registered phone behind the address of an attacker calls, is called and registers, whatever the attacker sends", async () => {
  const exchange = currentExchange();
  const desk = exchange.phone({ username: "desk", on: "a", place: `${office}:4000` });
  const [bob] = (await registerPhones(exchange, "bob@a")) as [VirtualPhone];
  const first = desk.register();
  await exchange.net.until("registered", () => first.status === 200);
  for (let i = 0; i < 9_000; i++)
    exchange.forge(
      "a",
      strangersRequest(["REGISTER", "INVITE", "OPTIONS"][i % 3] ?? ""),
      `${office}:${10_000 + i}`,
    );
  await exchange.net.pass(50);
  const [call, again, back] = [desk.call("bob"), desk.register(), bob.call("desk")];
  const done = () => [call.status, again.status, back.status].every((status) => status === 200);
  await exchange.net.until("all succeed", done, 500);
});

it("a wrong password is answered some 30 times, then in silence; the right one succeeds at once from the same and from another address", async () => {
  const exchange = currentExchange();
  for (let i = 0; i < 300; i++) {
    const guess = exchange.phone({ username: "bob", on: "a", place: `${office}:${2_000 + i}` });
    guess.register(undefined, { password: `guess ${i}` });
    await exchange.net.pass(20);
    guess.isOn = false;
  }
  const challenges = 300;
  expect(answersTo(exchange, office)).toBeLessThanOrEqual(challenges + 31);
  expect(exchange.node("a").overload.dropped["failed-login"]).toBeGreaterThan(250);
  const [sameAddress, other] = [`${office}:9000`, "203.0.113.99:9000"].map((place) =>
    exchange.phone({ username: "bob", on: "a", place }),
  ) as [VirtualPhone, VirtualPhone];
  const registrations = [sameAddress.register(), other.register()];
  await exchange.net.until("registered", () => registrations.every(({ status }) => status === 200), 500);
});

it("a phone whose user corrects the password is accepted within one transaction, on the same flow", async () => {
  const exchange = currentExchange();
  const restarted = () => exchange.phone({ username: "bob", on: "a", place: `${office}:5000` });
  for (let i = 0; i < 45; i++) {
    const phone = restarted();
    phone.register(undefined, { password: "typing mistake" });
    await exchange.net.pass(1_000);
    phone.isOn = false;
  }
  expect(exchange.node("a").overload.dropped["failed-login"]).toBeGreaterThan(10);
  const corrected = restarted().register();
  await exchange.net.until("registered", () => corrected.status === 200, 32_000);
});

it("a scanner gets no answer; a registered phone with the same User-Agent does", async () => {
  const [exchange, alice] = (await begin("alice@a", "bob@a")) as [Exchange, VirtualPhone];
  const userAgent = ["User-Agent", "friendly-scanner"] as const;
  for (const method of ["OPTIONS", "REGISTER", "INVITE"])
    exchange.forge("a", strangersRequest(method, [userAgent]), "192.0.2.9:5060");
  exchange.forge(
    "a",
    "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nUser-Agent: sipvicious\r\n\r\n",
    "192.0.2.9:5060",
  );
  await exchange.net.pass(200);
  expect(answersTo(exchange, "192.0.2.9")).toBe(0);
  expect(exchange.node("a").overload.dropped["scanner"]).toBe(4);
  alice.rewrite = (text) => text.replace("\r\nCSeq", "\r\nUser-Agent: sipcli/v1.8\r\nCSeq");
  const call = alice.call("bob");
  await exchange.net.until("the call is up", () => call.status === 200);
});

it("a request for a domain that is not served gets 404 with a Warning 20 times, then silence; a registered phone always gets it", async () => {
  const [exchange, alice] = (await begin("alice@a")) as [Exchange, VirtualPhone];
  for (let i = 0; i < 60; i++)
    exchange.forge(
      "a",
      strangersRequest(["REGISTER", "OPTIONS"][i % 2] ?? "", [], "sip:192.0.2.200").replaceAll(
        "mallory@example.com",
        "100@192.0.2.200",
      ),
      "192.0.2.9:5060",
    );
  await exchange.net.pass(200);
  expect(answersTo(exchange, "192.0.2.9")).toBe(20);
  expect(exchange.node("a").overload.dropped["not-served"]).toBe(40);
  for (let i = 0; i < 30; i++) {
    const call = alice.callUri("sip:bob@unserved.example");
    await exchange.net.until("refused", () => call.status === 404);
  }
});
