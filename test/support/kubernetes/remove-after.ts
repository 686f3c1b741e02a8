/**
 * `node remove-after.ts RUN`: waits until the process that started it has ended in any way (then the standard input is closed), and removes
 * everything that the run left. A test that ends normally has removed it before.
 */
import { removeRun } from "./remove-run.ts";

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
process.stdin.resume().on("close", () => void removeRun(process.argv[2] ?? ""));
