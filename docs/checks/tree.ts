/** The files of the checkout for the checks of documents: names and texts. A test can change a file without writing to the disk. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Tree {
  /** Paths from the root, with "/", sorted. */
  readonly files: readonly string[];
  /** The text of a file in `files`. It throws for any other path. */
  read(path: string): string;
}

/** Folders in a checkout that do not belong to the repository. */
const foreign = new Set(["node_modules", ".git", ".strowger", "coverage", "build"]);

export function readTree(root: string): Tree {
  const files = walk(root, "").sort();
  return { files, read: (path) => readFileSync(join(root, path), "utf8") };
}

/** The same tree with added or changed files. */
export const withFiles = (tree: Tree, changed: Readonly<Record<string, string>>): Tree => ({
  files: [...new Set([...tree.files, ...Object.keys(changed)])].sort(),
  read: (path) => changed[path] ?? tree.read(path),
});

/** Whether the path is a file, or a folder with files. */
export const exists = (tree: Tree, path: string): boolean => {
  const folder = path.endsWith("/") ? path : `${path}/`;
  return path === "" || tree.files.some((file) => file === path || file.startsWith(folder));
};

/** The documents in the root and under docs/. */
export const documentsOf = (tree: Tree): string[] =>
  tree.files.filter((file) => /^([A-Z]+|docs\/.+)\.md$/.test(file));

function walk(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return foreign.has(entry.name) ? [] : walk(root, path);
    return entry.isFile() ? [path] : [];
  });
}
