/** Prints a line of progress, with the seconds since the start. It is written directly, because the test runner would delay it until the end of the test. */
import { writeSync } from "node:fs";

const begin = Date.now();

export function logProgress(line: string): void {
  writeSync(2, `[e2e ${((Date.now() - begin) / 1000).toFixed(0).padStart(4)} s] ${line}\n`);
}
