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
    .option(
      "--fresh",
      "start with an empty private MariaDB for this folder of YAML; generated passwords stay",
    )
    .option(
      "--nodes <n>",
      "number of SIP nodes (default: spec.replicas of the SipCluster)",
      wholeNumber(1, 64),
    )
    .option("--port <port>", "UDP port for phones", wholeNumber(1, 65_535), 5060)
    .option("--address <ip>", "IPv4 address for phones; use a LAN address for real phones", "127.0.0.1")
    .addOption(
      new Option("--examples <dir>", "folder of YAML; it is read again when a file changes").default(
        resolve(root, "examples"),
        "examples/ of the checkout",
      ),
    )
    .addHelpText(
      "after",
      [
        "",
        "Each folder of YAML has its own database, keys and logs, below .strowger/ in the checkout.",
        "Set DATABASE_URL=mysql://user:password@host:port/database to use an external MySQL instead of a private MariaDB.",
        "",
        "Exit status: 0: stopped with Ctrl-C (npm may exit with another status), or the self-check of --once passed.",
        "1: the start or the self-check failed. 130, 143: SIGINT or SIGTERM stopped --once before the end of the self-check.",
      ].join("\n"),
    )
    .action(async (flags: Flags) => {
      const options = {
        once: flags.once === true,
        fresh: flags.fresh === true,
        nodes: flags.nodes,
        address: flags.address,
        port: flags.port,
        examples: resolve(callersFolder(), flags.examples),
        databaseUrl: process.env["DATABASE_URL"] || undefined,
      };
      process.exitCode = await up(options, root);
    });
}

/** `npm start` runs in the checkout; INIT_CWD has the folder in which the user called npm. */
const callersFolder = (): string =>
  (process.env["npm_lifecycle_event"] === "start" ? process.env["INIT_CWD"] : undefined) ?? process.cwd();

function wholeNumber(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  };
}
