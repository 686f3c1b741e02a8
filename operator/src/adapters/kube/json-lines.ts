/** A stream of JSON documents, one in each line, as a watch sends them. */

/** An object has at most 1.5 MB in etcd. As JSON with every byte escaped, it is shorter than this. */
const maxLineLength = 16 * 1024 * 1024;

export class JsonLines {
  readonly #decoder = new TextDecoder();
  /** The parts of a line that has not ended yet. */
  #begun: string[] = [];
  #length = 0;

  /** The parsed lines that end within `chunk`. Throws if a line is not JSON, or too long. */
  push(chunk: Uint8Array): readonly unknown[] {
    const [first = "", ...rest] = this.#decoder.decode(chunk, { stream: true }).split("\n");
    this.#begun.push(first);
    this.#length += first.length;
    if (this.#length > maxLineLength)
      throw new Error(`a watch event is longer than ${maxLineLength} characters`);
    const next = rest.pop();
    if (next === undefined) return [];
    const lines = [this.#begun.join(""), ...rest];
    this.#begun = [next];
    this.#length = next.length;
    return lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as unknown);
  }
}
