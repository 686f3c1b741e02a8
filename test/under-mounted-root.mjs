// In a chroot `/` is not a mount point, so buildah and runc cannot make its mounts private. Such a command runs with a root that is a mount
// point: a bind mount of the same tree, in a mount namespace that ends with the command.
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const script =
  'mount --rbind / "$0" && mount --make-rprivate "$0" && exec chroot "$0" sh -c \'cd "$0" && exec "$@"\' "$PWD" "$@"';

/** Returns the command with the wrapper that this machine needs. */
export function underMountedRoot(command) {
  if (process.platform !== "linux" || process.getuid() !== 0 || isRootMounted()) return command;
  const root = mkdtempSync(join(tmpdir(), "strowger-root-"));
  return ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", script, root, ...command];
}

/** In /proc/self/mountinfo (proc(5)) the fifth field of a line is the mount point. */
const isRootMounted = () =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[4] === "/");
