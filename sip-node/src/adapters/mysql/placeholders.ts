/** Batches in prepared statements. Sizes are rounded up to powers of two, so that a few statements serve all sizes. */

/** `?, ?, ...` or the given group repeated. */
export const placeholders = (count: number, group = "?", separator = ", "): string =>
  new Array<string>(count).fill(group).join(separator);

/**
 * More names in a statement are slower: MariaDB may scan the whole table, and compare each row with all names, as long as its statistics are
 * older than many new rows.
 */
const maxNames = 64;

/** Reads the answers for a long list of names in several statements, one after the other. */
export async function inParts<Name, Answer>(
  names: readonly Name[],
  read: (part: readonly Name[]) => Promise<readonly Answer[]>,
): Promise<readonly Answer[]> {
  const answers: (readonly Answer[])[] = [];
  for (let start = 0; start < names.length; start += maxNames)
    answers.push(await read(names.slice(start, start + maxNames)));
  return answers.flat();
}

/** The list, with its last item repeated up to the next power of two. An empty list stays empty. */
export function padToPowerOfTwo<T>(items: readonly T[]): T[] {
  const last = items[items.length - 1];
  if (last === undefined) return [];
  const size = 2 ** Math.ceil(Math.log2(items.length));
  return [...items, ...new Array<T>(size - items.length).fill(last)];
}
