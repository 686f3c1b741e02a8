/** Batches in prepared statements. Sizes are rounded up to powers of two, so that a few statements serve all sizes. */

/** `?, ?, ...` or the given group repeated. */
export const placeholders = (count: number, group = "?", separator = ", "): string =>
  new Array<string>(count).fill(group).join(separator);

/** The list, with its last item repeated up to the next power of two. An empty list stays empty. */
export function padToPowerOfTwo<T>(items: readonly T[]): T[] {
  const last = items[items.length - 1];
  if (last === undefined) return [];
  const size = 2 ** Math.ceil(Math.log2(items.length));
  return [...items, ...new Array<T>(size - items.length).fill(last)];
}
