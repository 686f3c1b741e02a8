/** The users of the benchmark, and sipp's injection files for them. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

export const domain = "bench.example";
/** Calls from this address are not challenged by any contestant. */
export const trustedAddress = "127.0.0.2";
export const challengedAddress = "127.0.0.1";

export const userName = (index: number): string => `u${String(index).padStart(6, "0")}`;
/** The caller and the callee of the latency probe. They exist beside the numbered users. */
export const probeUsers = ["probe-a", "probe-b"] as const;
/** All users of calls and REGISTERs: `count` numbered ones and those of the probe. */
export const userNames = (count: number): string[] => [
  ...Array.from({ length: count }, (_, index) => userName(index)),
  ...probeUsers,
];
export const passwordOf = (name: string): string => `${name}-secret`;

/** Writes `register.csv` (name; credentials) and `calls.csv` (caller; credentials; called user, half the users away) for the first `count` users. */
export async function writeInjectionFiles(folder: string, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => userName(index));
  const lines = names.map((name) => `${name};[authentication username=${name} password=${passwordOf(name)}]`);
  const called = (index: number): string => names[(index + Math.floor(count / 2)) % count] ?? "";
  await writeFile(join(folder, "register.csv"), ["SEQUENTIAL", ...lines, ""].join("\n"));
  const calls = lines.map((line, index) => `${line};${called(index)}`);
  await writeFile(join(folder, "calls.csv"), ["SEQUENTIAL", ...calls, ""].join("\n"));
}
