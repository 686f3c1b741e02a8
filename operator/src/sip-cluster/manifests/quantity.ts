/** Quantities as Kubernetes writes them (`512Mi`, `0.5`, `1e3`, `250m`). */

const powersOfTen: ReadonlyMap<string, number> = new Map([
  ["", 0],
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
]);
const powersOfTwo: ReadonlyMap<string, number> = new Map([
  ["Ki", 10],
  ["Mi", 20],
  ["Gi", 30],
  ["Ti", 40],
  ["Pi", 50],
  ["Ei", 60],
]);

/** Undefined where the text is no quantity. Two spellings of one quantity are the same number: rounded once, `0.7` and `700m` are equal. */
export function parseQuantity(text: string | number): number | undefined {
  const found = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+))?([a-zA-Z]*)$/.exec(String(text));
  if (found === null) return undefined;
  const [, digits = "", exponent = "0", suffix = ""] = found;
  const ten = powersOfTen.get(suffix);
  const two = powersOfTwo.get(suffix);
  if (ten === undefined && two === undefined) return undefined;
  return Number(`${digits}e${Number(exponent) + (ten ?? 0)}`) * 2 ** (two ?? 0);
}
