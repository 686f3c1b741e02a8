/** `node test/tools/main.ts [PROGRAM...]` builds missing programs (without arguments all of them) and prints their paths. */
import { kubeBinaries } from "./build.ts";
import { type ProgramName, programNames } from "./programs.ts";

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(programNames as string[]).includes(name));
if (unknown.length > 0) {
  process.stderr.write(`unknown program ${unknown.join(", ")}; known: ${programNames.join(", ")}\n`);
  process.exit(2);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
const paths = await kubeBinaries(names.length === 0 ? programNames : (names as ProgramName[]));
for (const [name, path] of Object.entries(paths)) process.stdout.write(`${name} ${path}\n`);
