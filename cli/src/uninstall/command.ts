/** The sub-command `strowger uninstall`, which the chart's pre-delete hook runs. */
import { Command } from "commander";
import {
  apiServerPlan,
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
    .description("stop the operator and release its finalizers; objects and rows stay")
    .requiredOption("--namespace <name>", "the operator's namespace")
    .requiredOption("--deployment <name>", "the operator's Deployment")
    .option(
      "--watched <namespace>",
      "a namespace whose objects are released; may be repeated (default: all)",
      (name: string, names: readonly string[]) => [...names, name],
      [],
    )
    .action(async (flags: Flags) => {
      const plan = apiServerPlan(flags, process.env);
      const say = (line: string): void => void process.stdout.write(`${line}\n`);
      try {
        if (plan === undefined) throw new Error("this is no pod: --server says where the API server is");
        await uninstall(new ApiServer(plan), { ...flags, say });
      } catch (error) {
        process.stderr.write(`strowger uninstall: ${(error as Error).message}\n`);
        process.exitCode = 1;
      }
    });
