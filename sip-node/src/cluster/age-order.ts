/** Entries from the least to the most recently used: every change is O(1) and allocates nothing. */

/** The links of an entry, which `AgeOrder` alone writes; an entry is in one order at a time. */
export interface Aged<Entry> {
  older: Entry | undefined;
  younger: Entry | undefined;
}

export class AgeOrder<Entry extends Aged<Entry>> {
  oldest: Entry | undefined = undefined;
  size = 0;
  #youngest: Entry | undefined = undefined;

  /** Adds the entry, which is in no order, at the young end. */
  add(entry: Entry): void {
    entry.older = this.#youngest;
    entry.younger = undefined;
    if (this.#youngest === undefined) this.oldest = entry;
    else this.#youngest.younger = entry;
    this.#youngest = entry;
    this.size += 1;
  }

  /** Takes the entry out of this order; its links say nothing then. */
  remove(entry: Entry): void {
    const { older, younger } = entry;
    if (older === undefined) this.oldest = younger;
    else older.younger = younger;
    if (younger === undefined) this.#youngest = older;
    else younger.older = older;
    this.size -= 1;
  }
}
