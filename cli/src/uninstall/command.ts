/** The sub-command `strowger uninstall`. The chart's pre-delete hook runs it. */
import { Command } from "commander";
import {
  apiServerOptions,
  type ApiServerFlags,
  withApiServerOptions,
} from "../api-server/api-server-options.ts";
import { ApiServer } from "../api-server/api-server.ts";
import { uninstall } from "./uninstall.ts";

interface Flags extends ApiServerFlags {
  readonly namespace: string;
  readonly deployment: string;
  readonly watched: readonly string[];
}

/** The command, ready to be added to the program; its exit status goes to process.exitCode. */
export const uninstallCommand = (): Command =>
  withApiServerOptions(new Command("uninstall"))
    .description("stop the operator and remove its finalizers; objects and rows stay")
    .requiredOption("--namespace <name>", "the operator's namespace")
    .requiredOption("--deployment <name>", "the operator's Deployment")
    .option(
      "--watched <namespace>",
      "remove the finalizers in this namespace; may be repeated (default: all)",
      (name: string, names: readonly string[]) => [...names, name],
      [],
    )
    .action(async (flags: Flags) => {
      const server = apiServerOptions(flags, process.env);
      const print = (line: string): void => void process.stdout.write(`${line}\n`);
      try {
        if (server === undefined)
          throw new Error("not running in a pod: set --server to the URL of the API server");
        await uninstall(new ApiServer(server), { ...flags, print });
      } catch (error) {
        process.stderr.write(`strowger uninstall: ${(error as Error).message}\n`);
        process.exitCode = 1;
      }
    });
