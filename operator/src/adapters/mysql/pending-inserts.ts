/**
 * Rows that a transaction inserts together: one statement for many objects. The number of rows of a statement is a power of two, so that a
 * connection needs few prepared statements.
 */
import type { Statements, Value } from "./database.ts";

/** The same object for all rows of a kind. */
export interface Insertion {
  /** `INSERT INTO table (columns)`. */
  readonly into: string;
  /** `ON DUPLICATE KEY UPDATE ...`. */
  readonly orUpdate?: string;
}

export class PendingInserts {
  readonly #statements: Statements;
  /** In the order of the first row. */
  readonly #rows = new Map<Insertion, (readonly Value[])[]>();

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  add(insertion: Insertion, values: readonly Value[]): void {
    const rows = this.#rows.get(insertion);
    if (rows === undefined) this.#rows.set(insertion, [values]);
    else rows.push(values);
  }

  /** Throws `DuplicateKey` if a row exists and the insertion does not update it. */
  async flush(): Promise<void> {
    for (const [{ into, orUpdate = "" }, rows] of this.#rows)
      for (let first = 0; first < rows.length; ) {
        const chunk = rows.slice(first, first + largestPower(rows.length - first));
        const places = chunk.map((values) => `(${values.map(() => "?").join(", ")})`).join(", ");
        await this.#statements.run(`${into} VALUES ${places} ${orUpdate}`, chunk.flat());
        first += chunk.length;
      }
    this.#rows.clear();
  }
}

/** The largest power of two that is not larger than `count`. */
const largestPower = (count: number): number => 2 ** Math.floor(Math.log2(count));
