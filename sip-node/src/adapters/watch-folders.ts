/**
 * Notices changed files. It watches folders, because the kubelet swaps a symlink beside the files, and editors replace a file by another.
 * Not every file system reports changes, so there is a slow interval too.
 */
import { type FSWatcher, watch } from "node:fs";
import type { Ms } from "../wire/units.ts";

/** Changes within this time are reported together. */
const settledAfter: Ms = 50;

/** Calls `onChange` soon after a change in one of the folders, and every `interval`. Returns the function that stops it. */
export function watchFolders(folders: readonly string[], interval: Ms, onChange: () => void): () => void {
  let scheduled: NodeJS.Timeout | undefined;
  const schedule = () => {
    scheduled ??= setTimeout(() => {
      scheduled = undefined;
      onChange();
    }, settledAfter);
  };
  const watchers = folders.flatMap((folder) => watchOne(folder, schedule) ?? []);
  const timer = setInterval(onChange, interval);
  return () => {
    clearTimeout(scheduled);
    clearInterval(timer);
    for (const watcher of watchers) watcher.close();
  };
}

/** Undefined if the system cannot watch the folder. */
function watchOne(folder: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, onChange);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
