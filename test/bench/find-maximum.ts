/** Finds the highest rate that a server sustains: doubles the rate until it fails, then halves the interval. */

export interface Search {
  readonly first: number;
  readonly limit: number;
  /** How many times the interval between the best and the failed rate is halved. */
  readonly bisections: number;
}

/** `attempt` resolves with the problem at this rate, or undefined. The result is the best rate (0: none) with all steps in their order. */
export async function findMaximum(
  { first, limit, bisections }: Search,
  attempt: (rate: number) => Promise<string | undefined>,
): Promise<{ rate: number; steps: { rate: number; problem: string | undefined }[] }> {
  const steps: { rate: number; problem: string | undefined }[] = [];
  const succeeds = async (rate: number): Promise<boolean> => {
    const problem = await attempt(rate);
    steps.push({ rate, problem });
    return problem === undefined;
  };
  let best = 0;
  let failed = first;
  while (failed <= limit && (await succeeds(failed))) {
    best = failed;
    failed *= 2;
  }
  for (let count = 0; count < bisections && failed <= limit; count++) {
    const middle = Math.round((best + failed) / 2);
    if (await succeeds(middle)) best = middle;
    else failed = middle;
  }
  return { rate: best, steps };
}
