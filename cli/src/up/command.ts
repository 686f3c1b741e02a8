/** The sub-command `strowger up`, which is also `npm start`. */
import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { up } from "./up.ts";

interface Flags {
  readonly once?: true;
  readonly fresh?: true;
  readonly nodes?: number;
  readonly port: number;
  readonly address: string;
  readonly examples: string;
}

/** The command, ready to be added to the program; its exit status goes to process.exitCode. */
export function upCommand(): Command {
  const root = resolve(import.meta.dirname, "../../..");
  return new Command("up")
    .description(
      "run a whole exchange on this machine: database, operator and SIP nodes behind one UDP address",
    )
    .option("--once", "run the self-check, stop, and exit with its status")
    .option("--fresh", "empty the private MariaDB of this folder of YAML first; generated passwords stay")
    .option(
      "--nodes <n>",
      "number of SIP nodes (default: spec.replicas of the SipCluster)",
      wholeNumber(1, 64),
    )
    .option("--port <port>", "UDP port that phones know", wholeNumber(1, 65_535), 5060)
    .option("--address <ip>", "address that phones know; a LAN address lets real phones in", "127.0.0.1")
    .addOption(
      new Option("--examples <dir>", "folder of YAML that is read, and read again when it changes").default(
        resolve(root, "examples"),
        "examples/ of the checkout",
      ),
    )
    .addHelpText(
      "after",
      [
        "",
        "Each folder of YAML has a database, keys and logs of its own, below .strowger/ in the checkout.",
        "DATABASE_URL=mysql://user:password@host:port/database uses that MySQL instead of a private MariaDB.",
        "",
        "Exit status: 0 stopped by Ctrl-C (npm adds its own), or with --once the self-check passed; 1 a problem, or it failed;",
        "130 and 143: --once was stopped (SIGINT, SIGTERM) before it had a verdict.",
      ].join("\n"),
    )
    .action(async (flags: Flags) => {
      const options = {
        once: flags.once === true,
        fresh: flags.fresh === true,
        nodes: flags.nodes,
        address: flags.address,
        port: flags.port,
        examples: resolve(startedFrom(), flags.examples),
        databaseUrl: process.env["DATABASE_URL"] || undefined,
      };
      process.exitCode = await up(options, root);
    });
}

/** npm changes into the checkout before it starts anything, and says where it was called. */
const startedFrom = (): string =>
  (process.env["npm_lifecycle_event"] === "start" ? process.env["INIT_CWD"] : undefined) ?? process.cwd();

function wholeNumber(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  };
}
