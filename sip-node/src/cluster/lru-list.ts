/** A linked list of entries from the least to the most recently used. Every change is O(1) and allocates nothing. */

/** The links of an entry. Only `LruList` writes them, and an entry is in one list at a time. */
export interface LruLinks<Entry> {
  older: Entry | undefined;
  newer: Entry | undefined;
}

export class LruList<Entry extends LruLinks<Entry>> {
  oldest: Entry | undefined = undefined;
  size = 0;
  #newest: Entry | undefined = undefined;

  /** Adds an entry as the most recently used. It must be in no list. */
  add(entry: Entry): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
    this.size += 1;
  }

  /** Removes an entry of this list. Its links are meaningless until it is added again. */
  remove(entry: Entry): void {
    const { older, newer } = entry;
    if (older === undefined) this.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    this.size -= 1;
  }
}
