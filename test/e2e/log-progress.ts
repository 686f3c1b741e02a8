/** A line of progress, with the seconds since the run began. It passes by the test runner, which would keep it until the test is over. */
import { writeSync } from "node:fs";

const begin = Date.now();

export function logProgress(line: string): void {
  writeSync(2, `[e2e ${((Date.now() - begin) / 1000).toFixed(0).padStart(4)} s] ${line}\n`);
}
