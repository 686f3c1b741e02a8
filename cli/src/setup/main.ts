/** `node cli/src/setup/main.ts TOOL...` installs missing tools (`all`: every tool of the local cluster and the tests). Exit status 1 and one message if it cannot. */
import { installTools } from "./install-tools.ts";
import { testTools, tools, type ToolName } from "./tools.ts";

const requested = process.argv.slice(2);
const names = requested.includes("all") ? testTools : requested;
const unknown = names.filter((name) => !Object.hasOwn(tools, name));
if (unknown.length > 0) {
  process.stderr.write(`unknown tool ${unknown.join(", ")}; known: ${Object.keys(tools).join(", ")}\n`);
  process.exit(2);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
const problem = await installTools(names as ToolName[]);
if (problem !== undefined) {
  process.stderr.write(`${problem}\n`);
  process.exit(1);
}
