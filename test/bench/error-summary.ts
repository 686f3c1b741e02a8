/** The most frequent messages of sipp's error log, each with its count. Pure. */

const shown = 3;

/** Call-IDs, numbers and the texts of SIP messages are left out, so that equal errors are counted together. */
export function errorSummary(log: string): string {
  const counts = new Map<string, number>();
  // Each entry begins with a date, a time and a time in seconds, separated by tabs.
  for (const [index, entry] of log.split(/\d{4}-\d\d-\d\d\t[\d:.]+\t[\d.]+: /).entries()) {
    if (index === 0) continue;
    const received = /received '(SIP\/2\.0 \d+|[A-Z]+ )/.exec(entry)?.[1]?.trim();
    const text = (entry.split("\n")[0] ?? "").replace(/,? received '[\s\S]*$/, "").replace(/\S*\d+\S*/g, "#");
    const key = received === undefined ? text.trim() : `${text.trim()}: ${received}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, shown)
    .map(([text, count]) => `${count} × ${text}`)
    .join("; ");
}
