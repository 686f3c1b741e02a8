/** Runs a command and returns its output. */
import { execFile } from "node:child_process";

export interface CommandOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Resolves with stdout. Rejects with the command's output if it fails. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const settings = {
      env: { ...process.env, ...options.env },
      maxBuffer: 256 * 1024 * 1024,
      timeout: options.timeoutMs ?? 120_000,
    };
    const child = execFile(command, [...args], settings, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${args.join(" ")}: ${`${stdout}${stderr}`.trim() || error.message}`));
    });
    child.stdin?.on("error", () => undefined); // the command may end before it has read everything
    child.stdin?.end(options.input ?? "");
  });
}
