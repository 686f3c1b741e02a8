/** The known word with the smallest edit distance to `given`; undefined if the distance is more than a third of its length (at least 1). */

export function closestWord(given: string, known: readonly string[]): string | undefined {
  const distances = known.map((word) => ({
    word,
    distance: distance(given.toLowerCase(), word.toLowerCase()),
  }));
  const best = distances.sort((a, b) => a.distance - b.distance)[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(given.length / 3))
    ? best.word
    : undefined;
}

/** Insertions, deletions and replacements from `a` to `b` (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
