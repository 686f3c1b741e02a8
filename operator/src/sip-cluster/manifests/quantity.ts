/** Quantities as Kubernetes writes them (`512Mi`, `0.5`, `1e3`, `250m`). */

const factors: Readonly<Record<string, number>> = {
  "": 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Undefined where the text is no quantity. */
export function parseQuantity(text: string | number): number | undefined {
  const found = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+))?([a-zA-Z]*)$/.exec(String(text));
  const factor = factors[found?.[3] ?? ""];
  if (found === null || factor === undefined) return undefined;
  return Number(`${found[1] ?? ""}e${found[2] ?? "0"}`) * factor;
}
