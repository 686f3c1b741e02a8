/**
 * Client transactions by the branch of our Via. The end of a branch is a number that is unique on the node (`proxy/via-branch.ts`), so a number
 * made of the last characters finds a transaction, and the branch is compared once. A map of numbers hashes no text and reads no key of the
 * entries that it passes.
 */
import type { ClientTransaction, ClientTransactionUser } from "./client-transaction.ts";

export class ClientTable<C extends ClientTransactionUser> {
  /** The first one of each number; `next` leads to the others. */
  private readonly clients = new Map<number, ClientTransaction<C>>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  get(branch: string): ClientTransaction<C> | undefined {
    let client = this.clients.get(numberOf(branch));
    while (client !== undefined && client.branch !== branch) client = client.next;
    return client;
  }

  add(client: ClientTransaction<C>): void {
    const number = numberOf(client.branch);
    client.next = this.clients.get(number);
    this.clients.set(number, client);
    this.count += 1;
  }

  remove(client: ClientTransaction<C>): void {
    const number = numberOf(client.branch);
    const first = this.clients.get(number);
    let before = first;
    while (before !== undefined && before !== client && before.next !== client) before = before.next;
    if (before === undefined) return;
    if (before !== client) before.next = client.next;
    else if (client.next === undefined) this.clients.delete(number);
    else this.clients.set(number, client.next);
    this.count -= 1;
  }
}

/** Of the last six characters. A small integer, which V8 keeps without an object. */
function numberOf(branch: string): number {
  let number = 0;
  for (let i = Math.max(0, branch.length - 6); i < branch.length; i++)
    number = (number * 79 + branch.charCodeAt(i)) & 0x3fff_ffff;
  return number;
}
