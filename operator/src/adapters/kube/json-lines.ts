/** A stream of JSON documents, one a line, as a watch sends them. */

/** An object is at most 1.5 MB in etcd; in JSON, with every byte escaped, it stays below this. */
const longestLine = 16 * 1024 * 1024;

export class JsonLines {
  readonly #decoder = new TextDecoder();
  /** The beginning of a line that has not ended yet. */
  #begun: string[] = [];
  #length = 0;

  /** The lines that end within `chunk`, parsed. Throws where a line is no JSON or does not end. */
  push(chunk: Uint8Array): readonly unknown[] {
    const [first = "", ...rest] = this.#decoder.decode(chunk, { stream: true }).split("\n");
    this.#begun.push(first);
    this.#length += first.length;
    if (this.#length > longestLine) throw new Error(`a watch event is longer than ${longestLine} characters`);
    const next = rest.pop();
    if (next === undefined) return [];
    const lines = [this.#begun.join(""), ...rest];
    this.#begun = [next];
    this.#length = next.length;
    return lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as unknown);
  }
}
