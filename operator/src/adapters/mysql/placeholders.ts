/**
 * The placeholders of an `IN` list. Their number is a power of two, so that a connection needs few prepared statements: the last value is
 * repeated, which finds nothing more. Pure.
 */

/** For the values of `padded`. */
export const placeholdersFor = (values: readonly unknown[]): string =>
  Array.from({ length: paddedLength(values.length) }, () => "?").join(", ");

export const padded = <Value>(values: readonly Value[]): readonly Value[] =>
  Array.from(
    { length: paddedLength(values.length) },
    (_, index) => values[Math.min(index, values.length - 1)] as Value,
  );

const paddedLength = (length: number): number => (length === 0 ? 0 : 2 ** Math.ceil(Math.log2(length)));
