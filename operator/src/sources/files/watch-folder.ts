/**
 * Notices changes in a folder. It uses the kernel's notifications, with a short delay because an editor writes a file in several steps. It
 * also compares names, sizes and times every second, because notifications can be lost on network and overlay file systems.
 */
import { watch, type FSWatcher } from "node:fs";
import { fingerprint } from "./read-objects.ts";

const debounceMs = 80;
const pollMs = 1_000;

/** Calls `onChange` after changes. The returned function stops the watch. */
export function watchFolder(directory: string, onChange: () => void): () => void {
  let lastFingerprint: string | undefined;
  let isStopped = false;
  let watcher: FSWatcher | undefined;
  let debounceTimer: NodeJS.Timeout | undefined;
  let pollTimer: NodeJS.Timeout | undefined;

  const onNotification = (): void => {
    clearTimeout(debounceTimer);
    debounceTimer = setTimeout(onChange, debounceMs);
  };
  const unwatch = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  const compare = async (): Promise<void> => {
    watcher ??= startWatcher(directory, onNotification, unwatch);
    const now = await fingerprint(directory);
    if (lastFingerprint !== undefined && now !== lastFingerprint && !isStopped) onNotification();
    lastFingerprint = now;
  };
  // A failed comparison counts as a change: the next read of the folder reports the problem.
  const tick = (): void => {
    compare()
      .catch(onNotification)
      .finally(() => {
        if (!isStopped) pollTimer = setTimeout(tick, pollMs);
      })
      .catch(onNotification);
  };

  tick();
  return () => {
    isStopped = true;
    clearTimeout(debounceTimer);
    clearTimeout(pollTimer);
    unwatch();
  };
}

/** Undefined if the folder cannot be watched now: the comparison continues, and tries again to watch the folder. */
function startWatcher(
  directory: string,
  onNotification: () => void,
  onFailure: () => void,
): FSWatcher | undefined {
  try {
    return watch(directory, { recursive: true }, onNotification).on("error", onFailure);
  } catch {
    return undefined;
  }
}
