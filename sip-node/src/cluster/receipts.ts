/** Responses are relayed without waiting: the numbers of those taken go back together, within the 100 ms of design-sip rule 9. */
import type { Ms } from "../wire/units.ts";
import type { Correspondence } from "./correspondence.ts";
import { packWords } from "./frame.ts";
import type { Peer } from "./membership.ts";

const interval: Ms = 50;

export class Receipts {
  private readonly letters: Correspondence;
  private readonly owed = new Map<Peer, number[]>();
  private sentAt: Ms = 0;

  constructor(letters: Correspondence) {
    this.letters = letters;
  }

  owe(peer: Peer, number: number): void {
    const numbers = this.owed.get(peer);
    if (numbers === undefined) this.owed.set(peer, [number]);
    else numbers.push(number);
  }

  advance(now: Ms): void {
    if (now - this.sentAt < interval) return;
    this.sentAt = now;
    for (const [peer, numbers] of this.owed) this.letters.tell(peer.address, "receipt", packWords(numbers));
    this.owed.clear();
  }
}
