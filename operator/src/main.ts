/** The operator as a process: reads the configuration and runs with the source of objects that it names. */
import { readConfig } from "./config.ts";
import { runFiles } from "./run-files.ts";
import { runKubernetes } from "./run-kubernetes.ts";

const config = readConfig(process.env);
if ("problems" in config) {
  for (const problem of config.problems) process.stderr.write(`strowger operator: ${problem}\n`);
  process.exit(2);
}
const { source } = config;
await (source.kind === "files" ? runFiles(config, source) : runKubernetes(config, source)).catch(
  (error: unknown) => {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`strowger operator: ${why}\n`);
    process.exit(1);
  },
);
