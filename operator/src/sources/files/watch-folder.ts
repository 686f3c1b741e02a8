/**
 * Tells when something in a folder may have changed: the kernel's notice, once it has been quiet for a moment (an editor writes a file in
 * several steps), and a comparison of names, sizes and times every second, because notices get lost on network and overlay file systems.
 */
import { watch, type FSWatcher } from "node:fs";
import { fingerprint } from "./read-objects.ts";

const quietMs = 80;
const pollMs = 1_000;

/** Calls `onChange` after changes; the returned function ends the watch. */
export function watchFolder(directory: string, onChange: () => void): () => void {
  let seen: string | undefined;
  let isEnded = false;
  let watcher: FSWatcher | undefined;
  let quiet: NodeJS.Timeout | undefined;
  let poll: NodeJS.Timeout | undefined;

  const notice = (): void => {
    clearTimeout(quiet);
    quiet = setTimeout(onChange, quietMs);
  };
  const unwatch = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  const compare = async (): Promise<void> => {
    watcher ??= listen(directory, notice, unwatch);
    const now = await fingerprint(directory);
    if (seen !== undefined && now !== seen && !isEnded) notice();
    seen = now;
  };
  // A comparison that failed is like a change: whoever reads the folder then says what is wrong with it.
  const tick = (): void => {
    compare()
      .catch(notice)
      .finally(() => {
        if (!isEnded) poll = setTimeout(tick, pollMs);
      })
      .catch(notice);
  };

  tick();
  return () => {
    isEnded = true;
    clearTimeout(quiet);
    clearTimeout(poll);
    unwatch();
  };
}

/** Undefined when the folder cannot be watched now: the comparison goes on alone, and the next one tries again. */
function listen(directory: string, onNotice: () => void, onFailure: () => void): FSWatcher | undefined {
  try {
    return watch(directory, { recursive: true }, onNotice).on("error", onFailure);
  } catch {
    return undefined;
  }
}
