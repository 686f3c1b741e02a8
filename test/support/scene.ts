/**
 * The stage of a scenario: an exchange for each test of a file, and what must be true at the end of every one. A failed test prints
 * its ladder.
 */
import { afterEach, beforeEach, expect } from "vitest";
import { Exchange } from "./exchange.ts";
import type { VirtualPhone } from "./virtual-phone.ts";

/** Longer than any transaction lives after its last message. */
const allTransactions = 40_000;

export function setScene(letters = "ab", maxFlows?: number): () => Exchange {
  let exchange: Exchange;
  beforeEach(async ({ onTestFailed }) => {
    exchange = await Exchange.open(letters, maxFlows);
    onTestFailed(() => console.log(exchange.ladder()));
  });
  afterEach(async () => {
    await expectQuiet(exchange);
  });
  return () => exchange;
}

/** No error of ours, no transaction and no open request left, and no phone heard anybody that it never sent to. */
export async function expectQuiet(exchange: Exchange, seed = ""): Promise<void> {
  await exchange.net.pass(allTransactions);
  expect(exchange.errors, seed).toEqual([]);
  expect(exchange.leftovers, seed).toEqual({ transactions: 0, open: 0 });
  for (const phone of exchange.phones)
    expect(exchange.strangersOf(phone), `${phone.name} ${seed}`).toEqual([]);
}

/** Phones of these users, registered; "alice@a" is heard by node a. */
export async function registered(exchange: Exchange, ...names: string[]): Promise<VirtualPhone[]> {
  const phones = names.map((name) => {
    const [username = "", on = ""] = name.split("@");
    return exchange.phone({ username, on });
  });
  const attempts = phones.map((phone) => phone.register());
  await exchange.net.until("all are registered", () => attempts.every(({ status }) => status === 200));
  return phones;
}
