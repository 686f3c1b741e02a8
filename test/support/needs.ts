/** Tests that need a program which may be absent on a developer's machine. */
import { describe } from "vitest";
import { missingTools, type ToolName } from "../../cli/src/setup/tools.ts";

/** `describe`, left out with its reason in the name where a tool is missing; with CI=true a missing tool makes it run and fail. */
export function describeWith(tools: readonly ToolName[], name: string, body: () => void): void {
  const missing = missingTools(tools).map((tool) => tool.command);
  if (missing.length === 0 || process.env["CI"] === "true") describe(name, body);
  else describe.skip(`${name} (needs ${missing.join(", ")})`, body);
}
