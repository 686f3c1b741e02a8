/**
 * A bounded map of values that can be made again: what was used recently is found, all else is forgotten. Two generations cost less than a
 * list in the order of use: a look-up of a young entry changes nothing.
 */
export class Recent<Key, Value> {
  private young = new Map<Key, Value>();
  private old = new Map<Key, Value>();
  private readonly limit: number;

  /** At most twice `limit` entries are kept. */
  constructor(limit: number) {
    this.limit = limit;
  }

  get(key: Key): Value | undefined {
    const found = this.young.get(key);
    if (found !== undefined) return found;
    const aged = this.old.get(key);
    if (aged !== undefined) this.set(key, aged);
    return aged;
  }

  set(key: Key, value: Value): void {
    if (this.young.size >= this.limit) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(key, value);
  }
}

/** A copy of a text that is part of a message. A part keeps the whole message in memory as long as it is kept itself. */
export function detached(text: string): string {
  if (text.length <= longestCopied) return text;
  if (text.length > area.length) return Buffer.from(text, "latin1").toString("latin1");
  return area.toString("latin1", 0, area.write(text, "latin1"));
}

/** V8 copies a part of at most 12 characters. */
const longestCopied = 12;
/** A buffer for each copy takes three times as long. */
const area = Buffer.allocUnsafeSlow(1_024);
