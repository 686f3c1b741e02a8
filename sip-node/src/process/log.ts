/** The log of a node: JSON lines on standard output, written in blocks. */
import pino, { type Logger } from "pino";
import type { Config } from "../config/config.ts";

export interface NodeLog {
  readonly log: Logger;
  readonly flush: () => void;
  /** Returns when every line is written. */
  readonly flushSync: () => void;
}

export function openLog({ name, logLevel }: Config, id: string): NodeLog {
  const output = pino.destination({ fd: 1, sync: false, minLength: 4096, maxLength: 1 << 20 });
  const options = { level: logLevel, base: { node: name, id }, redact: ["password", "ha1", "nonce"] };
  return {
    log: pino(options, output),
    flush: () => output.flush(),
    flushSync: () => output.flushSync(),
  };
}
