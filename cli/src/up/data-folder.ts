/**
 * The data folder of an exchange: database, keys, generated passwords, logs. Each folder of YAML has its own data folder, because a
 * database belongs to one SipCluster and has the values of immutable fields (ADR 42).
 */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { basename, join } from "node:path";

/** A path below `.strowger` of the checkout: the folder's name, and a hash of its whole path. The folder of YAML must exist. */
export function dataFolder(root: string, examples: string): string {
  const path = realpathSync(examples);
  const name =
    basename(path)
      .replace(/[^A-Za-z0-9_-]/g, "_")
      .slice(0, 40) || "yaml";
  const hash = createHash("sha256").update(path).digest("hex").slice(0, 8);
  return join(root, ".strowger", `${name}-${hash}`);
}
