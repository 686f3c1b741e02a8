/** Batches as prepared statements: sizes are rounded up to powers of two, so that few statements serve all of them. */

/** `?, ?, ...` or the given group repeated. */
export const placeholders = (count: number, group = "?", separator = ", "): string =>
  new Array<string>(count).fill(group).join(separator);

/** The list with its last item repeated up to the next power of two; never empty for a list that is not. */
export function padded<T>(items: readonly T[]): T[] {
  const last = items[items.length - 1];
  if (last === undefined) return [];
  const size = 2 ** Math.ceil(Math.log2(items.length));
  return [...items, ...new Array<T>(size - items.length).fill(last)];
}
