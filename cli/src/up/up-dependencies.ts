/** The values and functions that all steps of `strowger up` share. */
import type { Exchange } from "./exchange.ts";
import type { UpOptions } from "./options.ts";

export interface UpDependencies {
  readonly options: UpOptions;
  /** The folder of the checkout. */
  readonly root: string;
  /** The data of this folder of YAML: database, keys, configuration, generated passwords, logs. */
  readonly dataFolder: string;
  readonly keysFile: string;
  readonly exchange: Exchange;
  /** The number of SIP nodes. */
  readonly nodeCount: number;
  /** Raised by SIGINT (Ctrl-C), SIGTERM and SIGHUP. */
  readonly stop: AbortSignal;
  /** Prints one line for the user. */
  readonly print: (line: string) => void;
}
