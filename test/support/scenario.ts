/**
 * Set-up and final checks of scenario tests: a new exchange for each test, and the conditions that must hold at its end. A failed test prints
 * its messages.
 */
import { afterEach, beforeEach, expect } from "vitest";
import { Exchange } from "./exchange.ts";
import type { VirtualPhone } from "./virtual-phone.ts";

/** Longer than the lifetime of any transaction after its last message. */
const transactionLifetime = 40_000;

export function useExchange(letters = "ab", maxFlows?: number): () => Exchange {
  let exchange: Exchange;
  beforeEach(async ({ onTestFailed }) => {
    exchange = await Exchange.open(letters, maxFlows);
    onTestFailed(() => console.log(exchange.messageLog()));
  });
  afterEach(async () => {
    await expectNothingLeft(exchange);
  });
  return () => exchange;
}

/** Checks that no internal error occurred, no transaction or open request remains, and no phone received from an address it never sent to. */
export async function expectNothingLeft(exchange: Exchange, seed = ""): Promise<void> {
  await exchange.net.pass(transactionLifetime);
  expect(exchange.errors, seed).toEqual([]);
  expect(exchange.openWork, seed).toEqual({ transactions: 0, open: 0 });
  for (const phone of exchange.phones)
    expect(exchange.unexpectedDatagrams(phone), `${phone.name} ${seed}`).toEqual([]);
}

/** Registers phones of these users. The flow of "alice@a" is pinned to node a. */
export async function registerPhones(exchange: Exchange, ...names: string[]): Promise<VirtualPhone[]> {
  const phones = names.map((name) => {
    const [username = "", on = ""] = name.split("@");
    return exchange.phone({ username, on });
  });
  const attempts = phones.map((phone) => phone.register());
  await exchange.net.until("all are registered", () => attempts.every(({ status }) => status === 200));
  return phones;
}
