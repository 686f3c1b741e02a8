/** Tests that need a program which may be absent on a developer's machine. */
import { describe } from "vitest";
import { missingTools, type ToolName } from "../../cli/src/setup/tools.ts";

/** `describe`, skipped with the reason in its name when a tool is missing. With CI=true it runs and fails instead. */
export function describeWith(tools: readonly ToolName[], name: string, body: () => void): void {
  const missing = missingTools(tools).map((tool) => tool.command);
  if (missing.length === 0 || process.env["CI"] === "true") describe(name, body);
  else describe.skip(`${name} (needs ${missing.join(", ")})`, body);
}
