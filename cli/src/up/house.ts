/** What all steps of `strowger up` share. */
import type { Exchange } from "./exchange.ts";
import type { UpOptions } from "./options.ts";

export interface House {
  readonly options: UpOptions;
  /** The checkout. */
  readonly root: string;
  /** What belongs to this folder of YAML: database, keys, configuration, generated passwords, logs. */
  readonly folder: string;
  readonly keysFile: string;
  readonly exchange: Exchange;
  /** How many SIP nodes run. */
  readonly nodes: number;
  /** Raised by Ctrl-C and SIGTERM. */
  readonly stop: AbortSignal;
  /** Prints one line for the user. */
  readonly say: (line: string) => void;
}
