/**
 * `node remove-after.ts RUN`: waits until the process that started it is gone, however it went (its end of our standard input closes),
 * and then removes what the run left. A test that ends well has removed it before.
 */
import { removeRun } from "./remove-run.ts";

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
process.stdin.resume().on("close", () => void removeRun(process.argv[2] ?? ""));
