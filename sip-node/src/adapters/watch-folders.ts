/**
 * Notices changed files. Kubelets swap a symlink beside the files, editors write another file in their place: so folders are watched.
 * Not every file system tells of changes, so there is a slow look too.
 */
import { type FSWatcher, watch } from "node:fs";
import type { Ms } from "../wire/units.ts";

/** Changes that come together are one. */
const settledAfter: Ms = 50;

/** Calls `look` soon after something changes in one of the folders, and every `interval`; the answer stops it. */
export function watchFolders(folders: readonly string[], interval: Ms, look: () => void): () => void {
  let soon: NodeJS.Timeout | undefined;
  const changed = () => {
    soon ??= setTimeout(() => {
      soon = undefined;
      look();
    }, settledAfter);
  };
  const watchers = folders.flatMap((folder) => watchOne(folder, changed) ?? []);
  const slowly = setInterval(look, interval);
  return () => {
    clearTimeout(soon);
    clearInterval(slowly);
    for (const watcher of watchers) watcher.close();
  };
}

/** Undefined where the system cannot watch it: the slow look is left. */
function watchOne(folder: string, changed: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, changed);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
